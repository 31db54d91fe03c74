"""Invocation logs of Amazon Bedrock."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline_tests.events.formats.calls import texts_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "Hi?"}]}], "system": [{"text": "Be kind."}]}
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
    "stopReason": "end_turn",
    "metrics": {"latencyMs": 1500},
}
LOG: dict[str, Any] = {
    "schemaType": "ModelInvocationLog",
    "schemaVersion": "1.0",
    "timestamp": "2024-05-01T12:00:00Z",
    "accountId": "1",
    "identity": {"arn": "arn:aws:sts::1:assumed-role/app"},
    "region": "us-east-1",
    "requestId": "q1",
    "operation": "Converse",
    "modelId": "arn:aws:bedrock:us-east-1:1:inference-profile/small-1",
    "input": {"inputContentType": "application/json", "inputBodyJson": CONVERSE, "inputTokenCount": 4},
    "output": {"outputContentType": "application/json", "outputBodyJson": ANSWER, "outputTokenCount": 2},
}
EXCHANGE = [("User prompt", "Hi?"), ("AI generation", "Hello.")]


def log_of(body: object, answer: object) -> dict[str, Any]:
    """A log with these bodies."""
    return LOG | {"input": {"inputBodyJson": body}, "output": {"outputBodyJson": answer}}


def test_a_call_is_a_prompt_and_an_answer_in_a_session_of_their_own() -> None:
    shared = {"region": "us-east-1", "operation": "Converse", "model": "small-1"}
    asked = shared | {"input_tokens": 4, "prompt": "Hi?"}
    ended = {"output_tokens": 2, "finish_reason": "end_turn", "generation": "Hello.", "latency_seconds": 1.5}
    later = NOON + dt.timedelta(seconds=1.5)
    assert parse_record(LOG) == [
        Event("q1-prompt", "User prompt", "q1", None, NOON, None, "bedrock", asked, is_session_lone=True),
        Event(
            "q1-generation", "AI generation", "q1", None, later, None, "bedrock", shared | ended, is_session_lone=True
        ),
    ]


@pytest.mark.parametrize("keys", [("userId", "sessionId"), ("user_id", "conversation_id")])
def test_the_metadata_of_a_request_may_name_the_person_and_the_session(keys: tuple[str, str]) -> None:
    events = parse_record(LOG | {"requestMetadata": {keys[0]: "u1", keys[1]: "s1"}})
    assert {(event.user_id, event.session_id) for event in events} == {("u1", "s1")}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (
            {"messages": [{"role": "user", "content": "Hi?"}], "system": "Be kind."},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn"},
        ),
        ({"prompt": "\n\nHuman: Hi?\n\nAssistant:"}, {"completion": " Hello.", "stop_reason": "stop_sequence"}),
        ({"inputText": "Hi?"}, {"results": [{"outputText": "Hello.", "completionReason": "FINISH"}]}),
        ({"prompt": "<s>[INST] Hi? [/INST]"}, {"outputs": [{"text": "Hello.", "stop_reason": "stop"}]}),
        ({"prompt": "Hi?"}, {"generation": "Hello.", "prompt_token_count": 4, "generation_token_count": 2}),
        ({"prompt": "Hi?"}, {"generations": [{"text": "Hello.", "finish_reason": "COMPLETE"}]}),
        ({"message": "Hi?", "chat_history": []}, {"text": "Hello.", "finish_reason": "COMPLETE"}),
        ({"prompt": "Hi?"}, {"completions": [{"data": {"text": "Hello."}}]}),
        ({"schemaVersion": "messages-v1", **CONVERSE}, ANSWER),
        (
            {"messages": [{"role": "user", "content": "Hi?"}]},
            {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}}]},
        ),
        (CONVERSE, [{"contentBlockDelta": {"delta": {"text": text}}} for text in ("Hel", "lo.")]),
    ],
)
def test_bodies_of_the_models_of_all_makers(body: object, answer: object) -> None:
    assert [(name, text and text.strip()) for name, text in texts_of(log_of(body, answer))] == EXCHANGE


def test_a_streamed_answer_tells_its_latency_and_its_end() -> None:
    chunks = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"invocationLatency": 1500}},
    ]
    _, answer = parse_record(log_of(CONVERSE, chunks))
    found = {key: answer.metadata[key] for key in ("output_tokens", "finish_reason", "latency_seconds")}
    assert found == {"output_tokens": 2, "finish_reason": "end_turn", "latency_seconds": 1.5}


def test_a_call_of_a_tool_in_an_answer_is_an_event() -> None:
    content = [{"text": "Wait."}, {"toolUse": {"toolUseId": "t1", "name": "find", "input": {}}}]
    answer = {"output": {"message": {"role": "assistant", "content": content}}}
    assert texts_of(log_of(CONVERSE, answer)) == [EXCHANGE[0], ("AI generation", "Wait."), ("tool:find", None)]


def test_an_event_of_cloudwatch_holds_the_log_as_a_text() -> None:
    text = orjson.dumps(LOG).decode()
    for event in ({"timestamp": 1, "message": text, "eventId": "e"}, {"@timestamp": "x", "@message": text}):
        assert parse_record(event) == parse_record(LOG)


def test_a_body_in_a_file_of_its_own_is_no_text() -> None:
    bodies = {"input": {"inputBodyS3Path": "s3://x"}, "output": {"outputBodyS3Path": "s3://y"}}
    (event,) = parse_record(LOG | bodies)
    assert (event.event_name, event.is_textless) == ("LLM call", True)


def test_a_call_that_failed_has_only_a_prompt() -> None:
    (event,) = parse_record(LOG | {"output": None, "errorCode": "ThrottlingException"})
    assert (event.event_name, event.metadata["is_error"]) == ("User prompt", True)


def test_the_input_of_an_embedding_is_no_prompt() -> None:
    (event,) = parse_record(log_of({"inputText": "Hi?"}, {"embedding": [0.1], "inputTextTokenCount": 1}))
    assert (event.event_name, event.is_textless) == ("LLM call", True)
