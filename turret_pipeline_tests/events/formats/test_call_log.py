"""Logs of calls of language models in common shapes: one row is one call."""

import datetime as dt
from typing import Any

import pytest

from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.events.formats.calls import texts_of
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
TURNS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi?"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "And now?"},
]
CALL: dict[str, Any] = {
    "id": "call-1",
    "timestamp": "2024-05-01T12:00:00Z",
    "session": "s1",
    "user": "u1",
    "messages": TURNS,
    "response": {"choices": [{"message": {"role": "assistant", "content": "Now."}, "finish_reason": "stop"}]},
}
EXCHANGE = [("User prompt", "And now?"), ("AI generation", "Now.")]


def test_a_call_is_its_new_prompt_and_its_answer() -> None:
    prompt, answer = parse_record(CALL | {"model": "small-1", "latency_ms": 1500, "cost": 0.5})
    assert (prompt.event_id, prompt.session_id, prompt.user_id, prompt.event_at) == ("call-1-prompt", "s1", "u1", NOON)
    assert prompt.metadata == {"model": "small-1", "prompt": "And now?"}
    assert answer.event_at == NOON + dt.timedelta(seconds=1.5)
    assert answer.metadata == {
        "model": "small-1",
        "cost_usd": 0.5,
        "finish_reason": "stop",
        "generation": "Now.",
        "latency_seconds": 1.5,
    }


def test_the_columns_of_a_csv_file_are_a_call() -> None:
    row = {"prompt": "Hi?", "response": "Hello.", "timestamp": "2024-05-01 12:00:00", "user": "u1", "session": "s1"}
    prompt, answer = parse_record(row)
    assert texts_of(row) == [("User prompt", "Hi?"), ("AI generation", "Hello.")]
    assert {(event.user_id, event.session_id, event.event_at) for event in (prompt, answer)} == {("u1", "s1", NOON)}


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        ({"contents": [{"parts": [{"text": "Hi?"}]}]}, {"candidates": [{"content": {"parts": [{"text": "Yes."}]}}]}),
        ({"messages": [{"role": "user", "content": "Hi?"}]}, {"content": [{"type": "text", "text": "Yes."}]}),
        ({"messages": [{"role": "user", "content": "Hi?"}]}, {"message": {"role": "assistant", "content": "Yes."}}),
        ({"prompt": "Hi?"}, {"response": "Yes.", "done": True, "context": [1, 2]}),
        ({"input": "Hi?"}, {"output": [{"type": "message", "role": "assistant", "content": "Yes."}]}),
        ({"message": "Hi?", "chat_history": [{"role": "USER", "message": "Old"}]}, {"text": "Yes."}),
        ({"inputText": "User: Hi?\nBot:"}, {"results": [{"outputText": "Yes.", "completionReason": "FINISH"}]}),
        ({"prompt": "Hi?"}, {"completions": [{"data": {"text": "Yes."}}, {"data": {"text": "No."}}]}),
    ],
)
def test_pairs_of_a_request_and_a_response_of_any_api(request_: object, response: object) -> None:
    row = {"id": "1", "timestamp": 1714564800, "request": request_, "response": response}
    assert texts_of(row) == [("User prompt", "Hi?"), ("AI generation", "Yes.")]


def test_only_the_first_of_several_choices_was_shown() -> None:
    choices = [{"index": place, "message": {"role": "assistant", "content": text}} for place, text in enumerate("ab")]
    assert texts_of(CALL | {"response": {"choices": choices}})[1:] == [("AI generation", "a")]


def test_a_beginning_of_the_answer_hides_no_prompt_and_a_result_of_a_tool_repeats_none() -> None:
    begun = [*TURNS, {"role": "assistant", "content": "N"}]
    called = {"role": "assistant", "content": "Wait.", "tool_calls": [{"id": "1", "function": {"name": "find"}}]}
    step = [*TURNS, called, {"role": "tool", "tool_call_id": "1", "content": "42"}]
    assert texts_of(CALL | {"messages": begun}) == EXCHANGE
    assert texts_of(CALL | {"messages": step}) == EXCHANGE[1:]


def test_an_answer_that_only_calls_a_tool_is_the_call() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "find"}}]}
    found = texts_of(CALL | {"response": {"choices": [{"message": message}]}})
    assert found == [("User prompt", "And now?"), ("tool:find", None)]


@pytest.mark.parametrize(
    ("change", "is_error"),
    [
        ({"error": {"message": "overloaded"}}, True),
        ({"response": {"error": {"message": "overloaded"}}}, True),
        ({"status_code": 429}, True),
        ({"status_code": "429"}, True),
        ({"status": "failed"}, True),
        ({"success": False}, True),
        ({"is_success": "1"}, False),
        ({"status_code": 200}, False),
    ],
)
def test_a_prompt_without_an_answer_says_if_the_call_failed(change: dict[str, Any], is_error: object) -> None:
    (event,) = parse_record(CALL | {"response": None} | change)
    assert (event.event_name, event.metadata["prompt"], event.metadata["is_error"]) == (
        "User prompt",
        "And now?",
        is_error,
    )


@pytest.mark.parametrize(
    "output",
    [
        {"object": "list", "data": [{"object": "embedding", "embedding": [0.1]}]},
        {"embedding": [0.1], "inputTextTokenCount": 1},
        {"embeddings": [[0.1]]},
        {"results": [{"flagged": False}]},
    ],
)
def test_the_input_of_a_vector_or_a_rating_is_no_prompt(output: object) -> None:
    (event,) = parse_record({"id": "1", "timestamp": 1714564800, "input": "Hi?", "response": output})
    assert (event.event_name, event.is_textless, event.metadata) == ("LLM call", True, {})


def test_the_nanoseconds_of_ollama_are_seconds() -> None:
    answer = {"response": "Yes.", "total_duration": 2_500_000_000, "prompt_eval_count": 3, "eval_count": 5}
    prompt, generation = parse_record({"timestamp": 1714564800, "prompt": "Hi?", **answer})
    assert prompt.metadata == {"input_tokens": 3, "prompt": "Hi?"}
    assert generation.metadata == {"output_tokens": 5, "generation": "Yes.", "latency_seconds": 2.5}


@pytest.mark.parametrize(
    "prompt",
    [
        "\n\nHuman: Old?\n\nAssistant: Yes.\n\nHuman: Hi?\n\nAssistant:",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|><|start_header_id|>assistant"
        "<|end_header_id|>\n\n",
        "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nOld? [/INST] Yes. </s><s>[INST] Hi? [/INST]",
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\n",
        "<start_of_turn>user\nHi?<end_of_turn>\n<start_of_turn>model\n",
    ],
)
def test_of_a_prompt_in_the_template_of_a_model_only_the_last_turn_is_new(prompt: str) -> None:
    assert texts_of({"timestamp": 1714564800, "prompt": prompt, "completion": "No."})[0] == ("User prompt", "Hi?")


def test_a_prompt_that_only_mentions_a_mark_of_a_template_is_a_text() -> None:
    text = "Who writes\nBot: and why?"
    assert texts_of({"timestamp": 1714564800, "prompt": text, "completion": "No."})[0] == ("User prompt", text)


@pytest.mark.parametrize(
    "exchange",
    [
        {"request": "GET /index.html HTTP/1.1", "response": "200"},
        {"request": {"method": "GET", "url": "https://a.test/b"}, "response": {"status": 200}},
        {"input": "s3://bucket/in.csv", "output": "s3://bucket/out.csv"},
        {"input": "/data/in.csv", "result": "ok"},
        {"input": {"order": 5, "count": 2}, "output": {"ok": True}},
        {"request": None, "response": None},
    ],
)
def test_rows_of_servers_and_jobs_are_no_calls(exchange: dict[str, Any]) -> None:
    row = {"id": "1", "timestamp": 1714564800, **exchange}
    assert rejection_of(row)[0] == "unknown_shape"
    assert parse_record({**row, "model": "small-1"})[0].source_format == "call_log"


ANSWERED = [*TURNS, {"role": "assistant", "content": "Now."}]


@pytest.mark.parametrize("response", [None, "", {}, [], {"choices": []}])
def test_without_an_output_the_answer_may_be_the_last_message(response: object) -> None:
    assert texts_of(CALL | {"messages": ANSWERED, "response": response}) == EXCHANGE


def test_the_answer_at_the_end_of_the_input_may_have_called_tools() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "t1", "function": {"name": "find"}}]}
    steps = [call, {"role": "tool", "tool_call_id": "t1", "content": "Long"}]
    row = CALL | {"messages": [*TURNS, *steps, ANSWERED[-1]], "response": None}
    assert texts_of(row) == [EXCHANGE[0], ("tool:find", None), EXCHANGE[1]]
    assert [name for name, _ in texts_of(row | {"messages": [*TURNS, *steps]})] == ["LLM call"]


def test_the_begin_of_an_answer_is_none_if_the_call_failed_or_has_an_output() -> None:
    assert texts_of(CALL | {"messages": ANSWERED, "response": None, "error": "Timeout"}) == EXCHANGE[:1]
    begun = [*TURNS, {"role": "assistant", "content": "{"}]
    assert texts_of(CALL | {"messages": begun}) == EXCHANGE
    assert texts_of(CALL | {"response": None}) == EXCHANGE[:1]
