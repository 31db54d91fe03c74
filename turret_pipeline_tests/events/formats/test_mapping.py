"""Rows of any shape, parsed by a mapping."""

import datetime as dt
import json
import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
MAPPING = {"event_name": "action", "event_at": "ts", "user_id": "customer.id", "session_id": "visit"}
ROW: dict[str, Any] = {
    "action": "Clicked",
    "ts": "2024-05-01T12:00:00Z",
    "customer": {"id": 7, "plan": "pro"},
    "visit": "v1",
    "name": "Save",
    "attributes": {"colour": "red", "size": None},
    "empty": None,
}


def events(row: object, **mapping: object) -> list[Event]:
    return parse_record(row, ColumnMapping.model_validate(MAPPING | mapping).to_format())


def test_columns_come_from_the_mapped_paths_and_the_rest_is_metadata() -> None:
    assert events(ROW) == [
        Event(
            event_id=None,
            event_name="Clicked",
            session_id="v1",
            user_id="7",
            event_at=NOON,
            received_at=None,
            source_format="mapping",
            metadata={"customer": {"plan": "pro"}, "name": "Save", "attributes": {"colour": "red", "size": None}},
        )
    ]


def test_only_the_listed_metadata_is_kept() -> None:
    (event,) = events(ROW, metadata=["attributes", "customer.plan", "name", "nothing"])
    assert event.metadata == {"colour": "red", "plan": "pro", "name": "Save"}
    assert events(ROW, metadata=[])[0].metadata == {}


def test_every_column_can_be_mapped() -> None:
    row = {"a": "x", "b": 1714564800, "c": 1714564801, "d": 1, "e": 2, "f": 3}
    keys = ("event_name", "event_at", "received_at", "event_id", "session_id", "user_id")
    (event,) = events(row, **dict(zip(keys, row, strict=True)))
    second = dt.timedelta(seconds=1)
    assert event == Event("1", "x", "2", "3", NOON, NOON + second, "mapping", {})


def test_a_constant_names_events_that_have_no_name() -> None:
    (event,) = events({"ts": "2024-05-01T12:00:00Z", "text": "Hi?"}, event_name="=Asked")
    assert (event.event_name, event.metadata) == ("Asked", {"text": "Hi?"})


def test_the_first_of_several_columns_with_a_value_counts() -> None:
    (event,) = events(ROW | {"visit": ""}, session_id=["visit", "customer.plan"], event_name=["title", "action"])
    assert (event.session_id, event.event_name) == ("pro", "Clicked")


def test_a_column_with_dots_in_its_name_and_json_text_are_found() -> None:
    csv = {"action": "Clicked", "customer.id": "7", "ts": "1714564800"}
    assert events(csv) == [Event(None, "Clicked", None, "7", NOON, None, "mapping", {})]
    (event,) = events(ROW | {"customer": '{"id": 7}', "attributes": '{"colour": "red"}'}, metadata=["attributes"])
    assert (event.user_id, event.metadata) == ("7", {"colour": "red"})


def test_a_row_without_a_time_has_none() -> None:
    assert events({"action": "Clicked"})[0].event_at is None


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (ROW | {"action": None}, "missing_name"),
        (ROW | {"action": 3}, "invalid_name"),
        (ROW | {"ts": "soon"}, "invalid_timestamp"),
        (ROW | {"customer": {"id": []}}, "invalid_user_id"),
        ([ROW], "not_an_object"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(row: object, code: str) -> None:
    assert rejection_of(row, ColumnMapping.model_validate(MAPPING).to_format())[0] == code


def test_the_rejection_names_the_missing_column() -> None:
    assert rejection_of({"act": "Clicked", "ts": 0}, ColumnMapping.model_validate(MAPPING).to_format()) == (
        "not_of_format",
        "The row does not match format mapping: missing action; keys: act, ts.",
    )


@pytest.mark.parametrize("mapping", [{}, {"event_name": ""}, {"event_name": []}, {"event_name": "a", "user": "b"}])
def test_a_mapping_needs_a_name_and_allows_only_known_columns(mapping: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ColumnMapping.model_validate(mapping)


def test_the_mapping_of_a_conversation_and_its_format_can_be_sent_to_another_process() -> None:
    spec = ColumnMapping.model_validate({"message_author": "a", "message_text": "b"}).to_format()
    assert pickle.loads(pickle.dumps(spec)) == spec


def call(row: object, **mapping: object) -> list[tuple[str, str | None, dt.datetime | None, dict[str, Any]]]:
    """Name, id, time and metadata of the events of a row."""
    found = parse_record(row, ColumnMapping.model_validate(mapping).to_format())
    return [(event.event_name, event.event_id, event.event_at, event.metadata) for event in found]


CALL = {"id": "c1", "ts": "2024-05-01T12:00:00Z", "q": "Hi?", "a": "Hello.", "ms": 2500, "plan": "pro"}
CALL_MAPPING = {"event_id": "id", "event_at": "ts", "prompt": "q", "generation": "a"}


def test_a_call_becomes_a_prompt_and_an_answer_with_the_columns_not_mapped_as_metadata() -> None:
    later = NOON + dt.timedelta(seconds=2.5)
    assert call(CALL, **CALL_MAPPING, latency_ms="ms") == [
        ("User prompt", "c1-prompt", NOON, {"plan": "pro", "prompt": "Hi?"}),
        ("AI generation", "c1-generation", later, {"plan": "pro", "generation": "Hello.", "latency_seconds": 2.5}),
    ]


def test_the_time_of_the_answer_and_the_latency_give_the_time_of_the_prompt() -> None:
    row = {"done": "2024-05-01T12:00:10Z", "q": "Hi?", "a": "Hello.", "seconds": "10"}
    asked, answered = call(row, answered_at="done", latency_seconds="seconds", prompt="q", generation="a")
    assert (asked[2], answered[2]) == (NOON, NOON + dt.timedelta(seconds=10))


def test_names_of_metadata_are_those_of_every_format() -> None:
    row = CALL | {"llm": "small-1", "in": 3, "out": 4, "usd": 0.1, "why": "stop", "bad": "true"}
    names = {"model": "llm", "input_tokens": "in", "output_tokens": "out", "cost_usd": "usd", "finish_reason": "why"}
    asked, answered = call(row, **CALL_MAPPING, **names, is_error="bad", metadata=[])
    assert asked[3] == {"model": "small-1", "input_tokens": 3, "prompt": "Hi?"}
    assert answered[3] == {
        "model": "small-1",
        "output_tokens": 4,
        "cost_usd": 0.1,
        "finish_reason": "stop",
        "generation": "Hello.",
        "is_error": True,
    }


@pytest.mark.parametrize(("value", "is_error"), [(False, False), ("false", False), ("500", True), ("Timeout", True)])
def test_a_failure_may_be_a_flag_a_status_or_a_word(value: object, is_error: bool) -> None:
    assert call(CALL | {"error_code": value}, **CALL_MAPPING, is_error="error_code")[1][3]["is_error"] is is_error


def test_a_plain_event_has_the_named_metadata_too() -> None:
    row = {"action": "Rated", "llm": "small-1", "stars": 4}
    assert call(row, event_name="action", model=["engine", "llm"], cost_usd="=0.1") == [
        ("Rated", None, None, {"stars": 4, "model": "small-1", "cost_usd": "0.1"})
    ]


@pytest.mark.parametrize("is_text", [False, True])
def test_nested_texts_are_found_also_in_json_text_and_are_no_metadata_a_second_time(is_text: bool) -> None:
    request = {"messages": [{"role": "user", "content": "Hi?"}], "top_k": 3}
    answer = {"choices": [{"message": {"content": "Hello."}}], "id": "r1"}
    row = {"request": json.dumps(request) if is_text else request, "answer": json.dumps(answer) if is_text else answer}
    assert call(row, messages="request.messages", generation="answer.choices.0.message.content") == [
        ("User prompt", None, None, {"request": {"top_k": 3}, "answer": {"id": "r1"}, "prompt": "Hi?"}),
        ("AI generation", None, None, {"request": {"top_k": 3}, "answer": {"id": "r1"}, "generation": "Hello."}),
    ]


def test_only_the_last_message_of_a_call_with_history_is_new() -> None:
    history = [{"by": "Ava", "said": "Hello."}, {"by": "Tom", "said": "And now?"}]
    shape = {"message_author": "by", "message_text": "said", "user_authors": ["tom"]}
    texts = call({"turns": history, "reply": "Wait."}, messages="turns", generation="reply", **shape)
    assert [metadata for *_, metadata in texts] == [{"prompt": "And now?"}, {"generation": "Wait."}]


def test_events_of_a_call_without_any_id_are_in_one_session() -> None:
    events_of_call = parse_record(CALL, ColumnMapping(event_at=("ts",), prompt=("q",), generation=("a",)).to_format())
    (session,) = {event.session_id for event in events_of_call}
    assert session is not None
    assert session.startswith("call-")


def test_a_call_without_text_is_one_event() -> None:
    assert call({"q": None, "n": 1}, prompt="q", generation="a") == [("LLM call", None, None, {"n": 1})]
    assert call({"q": None, "n": 1}, prompt="q", event_name="=Tried") == [("Tried", None, None, {"n": 1})]


CHAT = {"session_id": "s", "messages": "log.turns", "message_author": "who", "message_text": "said"}


def test_a_chat_with_its_own_names_becomes_a_session() -> None:
    turns = [
        {"who": "system", "said": "Be kind."},
        {"who": "Guest", "said": "Hi?", "t": "2024-05-01T12:00:00Z", "mood": "calm"},
        {"who": "Ava", "said": "Hello.", "llm": "small-1"},
    ]
    found = call(
        {"s": "s1", "log": {"turns": turns}, "plan": "pro"},
        **CHAT,
        message_at="t",
        user_authors=["guest"],
        model="llm",
    )
    assert [(name, at, metadata) for name, _, at, metadata in found] == [
        ("User prompt", NOON, {"log": {}, "plan": "pro", "mood": "calm", "prompt": "Hi?"}),
        ("AI generation", NOON, {"log": {}, "plan": "pro", "model": "small-1", "generation": "Hello."}),
    ]


def test_a_message_of_a_growing_chat_keeps_its_id() -> None:
    turns = [{"who": "user", "said": "Hi?"}, {"who": "bot", "said": "Hello."}, {"who": "user", "said": "Bye."}]
    ids = [[event[1] for event in call({"s": "s1", "log": {"turns": turns[:count]}}, **CHAT)] for count in (2, 3)]
    assert ids[0] == ids[1][:2]


def test_a_row_may_be_one_message() -> None:
    mapping = {"event_at": "ts", "message_author": "by", "message_text": "text", "user_authors": ["guest"]}
    row = {"ts": "2024-05-01T12:00:00Z", "mood": "calm"}
    assert call(row | {"by": "Guest", "text": "Hi?"}, **mapping) == [
        ("User prompt", None, NOON, {"mood": "calm", "prompt": "Hi?"})
    ]
    assert call(row | {"by": "Ava", "text": "Hello."}, **mapping) == [
        ("AI generation", None, NOON, {"mood": "calm", "generation": "Hello."})
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"by": "system", "text": "Be kind."}, "not_an_event"),
        ({"by": "Ava", "text": "Hello."}, "not_an_event"),
        ({"by": None, "text": "Hello."}, "not_an_event"),
        ({"by": "user", "text": ""}, "missing_text"),
        ({"by": "user"}, "not_of_format"),
    ],
)
def test_a_message_without_a_known_author_or_a_text_is_rejected(row: object, code: str) -> None:
    mapping = ColumnMapping.model_validate({"message_author": "by", "message_text": "text"})
    assert rejection_of(row, mapping.to_format())[0] == code


@pytest.mark.parametrize("turns", [None, "Hi?", 3, {"who": "user"}])
def test_messages_that_are_no_array_are_rejected(turns: object) -> None:
    assert rejection_of({"log": {"turns": turns}}, ColumnMapping.model_validate(CHAT).to_format())[0] in {
        "invalid_messages",
        "not_of_format",
    }


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"user_id": "a"}, "Missing key event_name"),
        ({"messages": "a", "prompt": "b"}, "messages and prompt: keep"),
        ({"message_author": "a", "message_text": "b", "prompt": "c"}, "a row is a message or a call"),
        ({"message_text": "a"}, 'write message_author = "'),
        ({"messages": "a", "event_name": "b"}, "remove event_name"),
        ({"messages": "a", "latency_ms": "b"}, "latency_ms, which belongs to a call"),
        ({"event_name": "a", "message_at": "b"}, "message_at, which belongs to messages"),
        ({"messages": "a", "user_authors": ["b"]}, "user_authors, which belongs to message_author"),
    ],
)
def test_keys_that_do_not_fit_together_are_rejected_with_a_fix(mapping: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ColumnMapping.model_validate(mapping)
