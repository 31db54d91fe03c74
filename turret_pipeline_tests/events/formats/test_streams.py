"""Answers that were streamed in chunks."""

from typing import Any

import pytest

from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.events.formats.calls import texts_of

HELLO = [("AI generation", "Hello.")]
OPENAI: list[dict[str, Any]] = [
    {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}]},
    {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "lo."}}]},
    {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"object": "chat.completion.chunk", "choices": [], "usage": {"completion_tokens": 2}},
]
ANTHROPIC = [
    {"type": "message_start", "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo."}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
]
RESPONSES = [
    {"type": "response.created", "response": {"output": []}},
    {"type": "response.reasoning_summary_text.delta", "delta": "Hm"},
    {"type": "response.output_text.delta", "delta": "Hel"},
    {"type": "response.output_text.delta", "delta": "lo."},
    {"type": "response.output_text.done", "text": "Hello."},
]
COMPLETED = {
    "type": "response.completed",
    "response": {"output": [{"type": "message", "role": "assistant", "content": "Hello."}]},
}


def call_of(chunks: object) -> dict[str, Any]:
    """A call whose answer are these chunks."""
    return {"id": "1", "timestamp": 1714564800, "request": None, "response": chunks}


@pytest.mark.parametrize(
    "chunks",
    [
        OPENAI,
        ANTHROPIC,
        RESPONSES,
        [*RESPONSES, COMPLETED],
        [{"contentBlockDelta": {"delta": {"text": text}}} for text in ("Hel", "lo.")],
        [{"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]} for text in ("Hel", "lo.")],
        [{"message": {"role": "assistant", "content": text}, "done": False} for text in ("Hel", "lo.")],
        [{"response": text, "done": False} for text in ("Hel", "lo.")],
        [{"outputText": text, "index": 0, "completionReason": None} for text in ("Hel", "lo.")],
        [{"generation": text, "generation_token_count": 1} for text in ("Hel", "lo.")],
        [{"outputs": [{"text": text, "stop_reason": None}]} for text in ("Hel", "lo.")],
        [{"completion": text, "stop_reason": None} for text in ("Hel", "lo.")],
        [{"event_type": "text-generation", "text": text} for text in ("Hel", "lo.")],
        'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\ndata: {"choices":[{"delta":{"content":"lo."}}]}\n\n'
        "data: [DONE]\n",
        'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"Hello."}}\n',
    ],
)
def test_the_chunks_of_an_answer_are_one_text(chunks: object) -> None:
    assert texts_of(call_of(chunks)) == HELLO


def test_a_call_that_begins_in_a_chunk_is_one_call() -> None:
    begin = {"index": 0, "id": "call-1", "function": {"name": "find", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "{}"}}
    calls = [{"choices": [{"delta": {"tool_calls": [part]}}]} for part in (begin, more)]
    assert texts_of(call_of([*OPENAI, *calls])) == [*HELLO, ("tool:find", None)]
    block = {"type": "content_block_start", "content_block": {"type": "tool_use", "id": "1", "name": "find"}}
    assert texts_of(call_of([*ANTHROPIC, block])) == [*HELLO, ("tool:find", None)]


def test_a_stream_tells_its_tokens_and_the_reason_of_its_end() -> None:
    (openai,) = parse_record(call_of(OPENAI))
    (anthropic,) = parse_record(call_of(ANTHROPIC))
    assert openai.metadata == {"output_tokens": 2, "finish_reason": "stop", "generation": "Hello."}
    assert anthropic.metadata == {"output_tokens": 2, "finish_reason": "end_turn", "generation": "Hello."}
