"""Messages in attributes and events of spans, in the shapes of single libraries."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.events.formats.calls import texts_of

EXCHANGE = [("User prompt", "Hi?"), ("AI generation", "Hello.")]


def span(attributes: dict[str, Any], events: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "traceId": "t1",
        "spanId": "s1",
        "name": "call",
        "startTimeUnixNano": "1714564800000000000",
        "endTimeUnixNano": "1714564801000000000",
        "attributes": attributes,
        "events": [{"name": name, "attributes": values} for name, values in (events or {}).items()],
    }


def as_json(value: object) -> str:
    return orjson.dumps(value).decode()


@pytest.mark.parametrize(
    "row",
    [
        span(
            {"gen_ai.operation.name": "chat.completions"},  # Semantic Kernel
            {
                "gen_ai.client.inference.operation.details": {
                    "gen_ai.input.messages": as_json([{"role": "user", "parts": [{"type": "text", "content": "Hi?"}]}]),
                    "gen_ai.output.messages": as_json(
                        [{"role": "assistant", "parts": [{"type": "text", "content": "Hello."}]}]
                    ),
                }
            },
        ),
        span(
            {"gen_ai.operation.name": "chat.completions"},
            {
                "gen_ai.content.prompt": {"gen_ai.prompt": as_json([{"role": "user", "content": "Hi?"}])},
                "gen_ai.content.completion": {
                    "gen_ai.completion": as_json([{"role": "assistant", "content": "Hello."}])
                },
            },
        ),
        span(
            {
                "gen_ai.system": "gcp.vertex.agent",
                "gcp.vertex.agent.session_id": "c1",
                "gcp.vertex.agent.llm_request": as_json({"contents": [{"role": "user", "parts": [{"text": "Hi?"}]}]}),
                "gcp.vertex.agent.llm_response": as_json({"content": {"role": "model", "parts": [{"text": "Hello."}]}}),
            }
        ),
    ],
    ids=["details", "content events", "agent development kit"],
)
def test_messages_of_a_library_are_read(row: dict[str, Any]) -> None:
    assert texts_of(row) == EXCHANGE


def test_the_session_of_the_agent_development_kit_is_read() -> None:
    request = as_json({"contents": [{"role": "user", "parts": [{"text": "Hi?"}]}]})
    row = span({"gcp.vertex.agent.session_id": "c1", "gcp.vertex.agent.llm_request": request})
    assert [(event.session_id, event.metadata) for event in parse_record(row)] == [
        ("c1", {"name": "call", "trace_id": "t1", "prompt": "Hi?", "is_error": False})
    ]


@pytest.mark.parametrize(
    ("content", "prompt"),
    [
        ([{"type": "text", "text": "Hi?"}, {"type": "image_url", "image_url": {"url": "https://a/b"}}], "Hi?\n[image]"),
        ([1, 2], "[1,2]"),
        ([], "[]"),
    ],
)
def test_parts_in_the_json_text_of_a_prompt_are_read(content: object, prompt: str) -> None:
    row = span(
        {"llm.request.type": "chat", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": as_json(content)}
    )
    assert texts_of(row) == [("User prompt", prompt)]
