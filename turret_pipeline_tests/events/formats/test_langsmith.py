"""Runs and feedback of LangSmith."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def human(text: str) -> dict[str, Any]:
    """A message as LangChain dumps it."""
    return {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "HumanMessage"],
        "kwargs": {"content": text, "type": "human"},
    }


RUN: dict[str, Any] = {
    "id": "r1",
    "trace_id": "t1",
    "parent_run_id": "t1",
    "session_id": "project",
    "session_name": "prod",
    "name": "ChatOpenAI",
    "run_type": "llm",
    "status": "success",
    "error": None,
    "start_time": "2024-05-01T12:00:00.000000",
    "end_time": "2024-05-01T12:00:01.500000",
    "inputs": {"messages": [[human("Hi?")]]},
    "outputs": {"generations": [[{"text": "Hello.", "type": "ChatGeneration"}]]},
    "extra": {"metadata": {"thread_id": "s1", "user_id": "u1", "plan": "pro", "ls_model_name": "small-1"}},
    "prompt_tokens": 4,
    "completion_tokens": 2,
    "total_cost": 0.25,
    "tags": ["beta"],
    "feedback_stats": {"thumbs": {"n": 1, "avg": 1.0}},
}
CALL = {"name": "weather", "args": {"city": "Paris"}, "id": "call-1"}
TOOL = RUN | {"id": "r2", "run_type": "tool", "name": "weather", "inputs": {"input": "{'city': 'Paris'}"}}


def test_a_run_becomes_a_prompt_and_an_answer_in_the_session_of_its_thread() -> None:
    prompt, answer = parse_record(RUN)
    assert [(event.session_id, event.user_id, event.trace_id) for event in (prompt, answer)] == [("s1", "u1", "t1")] * 2
    assert (prompt.event_at, answer.event_at) == (NOON, NOON + dt.timedelta(seconds=1.5))
    assert not prompt.is_zone_assumed
    shared = {"name": "ChatOpenAI", "trace_id": "t1", "project": "prod", "tags": ["beta"]}
    shared |= {"plan": "pro", "model": "small-1"}
    own = {"output_tokens": 2, "cost_usd": 0.25, "feedback": {"thumbs": 1.0}, "latency_seconds": 1.5, "is_error": False}
    assert prompt.metadata == shared | {"input_tokens": 4, "prompt": "Hi?"}
    assert answer.metadata == shared | own | {"generation": "Hello."}


@pytest.mark.parametrize("key", ["session_id", "thread_id", "conversation_id"])
def test_the_session_is_the_thread_and_never_the_project(key: str) -> None:
    event, _ = parse_record(RUN | {"extra": {"metadata": {key: "s2"}}})
    assert event.session_id == "s2"
    alone, _ = parse_record(RUN | {"extra": None})
    assert alone.session_id == "t1"


TURNS = {"messages": [human("Hi?"), {"type": "ai", "content": "Hello."}]}


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"input": "Hi?"}, {"output": "Hello."}),
        ({"question": "Hi?", "chat_history": []}, {"answer": "Hello.", "context": []}),
        ({"messages": [{"type": "human", "content": "Hi?"}]}, TURNS),
    ],
)
def test_the_root_chain_repeats_its_call(inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    root = RUN | {"id": "t1", "parent_run_id": None, "run_type": "chain", "inputs": inputs, "outputs": outputs}
    assert [event.event_id for event in parse_record(root)] == [event.event_id for event in parse_record(RUN)]


@pytest.mark.parametrize(
    ("kind", "parent"), [("chain", "t1"), ("prompt", "t1"), ("retriever", None), ("parser", "t1"), ("embedding", "t1")]
)
def test_other_runs_are_no_events(kind: str, parent: str | None) -> None:
    assert rejection_of(RUN | {"run_type": kind, "parent_run_id": parent})[0] == "not_an_event"


@pytest.mark.parametrize("inputs", [TOOL["inputs"], {"city": "Paris"}])
def test_the_run_of_a_tool_is_the_event_of_its_call(inputs: dict[str, str]) -> None:
    message = {"type": "ai", "content": "", "tool_calls": [CALL]}
    (call,) = parse_record(RUN | {"inputs": None, "outputs": {"generations": [[{"message": message}]]}})
    (run,) = parse_record(TOOL | {"inputs": inputs, "outputs": None, "error": "no answer"})
    assert (run.event_id, run.event_name) == (call.event_id, "tool:weather")
    assert [run.metadata[key] for key in ("status", "latency_seconds", "error")] == ["error", 1.5, "no answer"]


def test_columns_of_the_bulk_export_hold_json() -> None:
    text = {key: json.dumps(RUN[key]) for key in ("inputs", "outputs", "extra", "tags", "feedback_stats")}
    start = dt.datetime(2024, 5, 1, 12)
    assert parse_record(RUN | text | {"start_time": start}) == parse_record(RUN)


def test_feedback_is_an_event_of_the_trace() -> None:
    given = {"id": "f1", "run_id": "r1", "trace_id": "t1", "session_id": "project", "key": "thumbs", "score": 0}
    more = {"value": None, "comment": "Wrong", "created_at": "2024-05-01T12:05:00", "feedback_source": {"type": "app"}}
    (event,) = parse_record(given | more)
    assert (event.event_id, event.event_name, event.session_id, event.trace_id) == ("f1", "feedback", "t1", "t1")
    ids = {"trace_id": "t1", "run_id": "r1"}
    assert event.metadata == {"score_name": "thumbs", "value": 0, "comment": "Wrong", "source": "app"} | ids
