"""Exchanges of small literal lakes."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.exchanges.roles import NamedEvents
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline_tests.exchanges.rows import NOON, Event, answer, build, columns, feedback, prompt, write_lake

ONE = {
    "exchange_id": "p1",
    "prompt_event_id": "p1",
    "answer_event_id": "a1",
    "session_id": "s1",
    "user_id": "u1",
    "prompt_at": NOON,
    "field": "prompt",
    "topic_id": "prompt-1",
    "subject_topic_id": "prompt-1",
    "session_number": 1,
    "exchange_number": 1,
    "subject_number": 1,
    "seconds_to_answer": 2.5,
    "answer_count": 1,
    "model": "small",
    "input_tokens": 10.0,
    "output_tokens": 20.0,
    "cost_usd": 0.5,
    "latency_seconds": 1.5,
    "is_error": False,
    "rating": 4.0,
    "feedback_count": 1,
    "ending": "open",
}


def test_a_prompt_is_joined_with_its_answer_and_its_feedback(tmp_path: Path) -> None:
    numbers: dict[str, Any] = {"input_tokens": 10, "output_tokens": 20, "cost_usd": 0.5, "latency_seconds": 1.5}
    lake = write_lake(
        tmp_path,
        [
            prompt("p1", 0, plan="team"),
            answer("a1", 2.5, model="small", is_error=False, words=3, **numbers),
            Event("x1", "page_opened", 3, {"plan": "free"}),
            feedback("f1", 9, rating=4),
        ],
        topics={"hello": "prompt-1"},
    )
    assert build(lake) == [ONE]
    assert lake.read("exchange_values").rows() == [
        ("p1", "plan", "prompt", None, "team"),
        ("p1", "rating", "feedback", 4.0, None),
        ("p1", "words", "answer", 3.0, None),
    ]
    assert lake.read("exchange_roles").rows() == [
        ("prompt", "prompt_sent", "prompt", 1, "field"),
        ("answer", "answer_given", "", 1, "event name"),
        ("feedback", "feedback", "", 1, "event name"),
    ]


def test_prompt_and_answer_may_be_one_event(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "prompt": "hello",
        "generation": "hi",
        "model": "small",
        "cost_usd": 0.5,
        "rating": 1,
        "words": 3,
    }
    lake = write_lake(tmp_path, [Event("m1", "message", 0, values)], topics={"hello": "prompt-1"})
    same = {"exchange_id": "m1", "prompt_event_id": "m1", "answer_event_id": "m1", "seconds_to_answer": None}
    absent = dict.fromkeys(("input_tokens", "output_tokens", "latency_seconds", "is_error"))
    assert build(lake) == [{**ONE, **same, **absent, "rating": 1.0, "feedback_count": 0}]
    assert lake.read("exchange_values").rows() == [
        ("m1", "rating", "prompt", 1.0, None),
        ("m1", "words", "prompt", 3.0, None),
    ]


def test_of_several_answers_the_first_is_named_and_the_numbers_are_added(tmp_path: Path) -> None:
    lake = write_lake(
        tmp_path,
        [
            prompt("p1", 0, input_tokens=7, output_tokens=99, cost_usd=99, latency_seconds=99, model="of the prompt"),
            answer("a1", 1, input_tokens=50, output_tokens=2, cost_usd=0.1),
            answer("a2", 2, output_tokens=3, cost_usd=0.2, latency_seconds=4, model="second", is_error=True, words=5),
            answer("a3", 3, latency_seconds=6, model="third", is_error=False, words=6),
        ],
    )
    [row] = build(lake)
    assert (row["answer_event_id"], row["seconds_to_answer"], row["answer_count"]) == ("a1", 1.0, 3)
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (7.0, 5.0, pytest.approx(0.3))
    assert (row["latency_seconds"], row["model"], row["is_error"]) == (4.0, "second", True)
    assert lake.read("exchange_values").rows() == [("p1", "words", "answer", 5.0, None)]


@pytest.mark.parametrize("wrong", [-1, -0.001, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "cost_usd", "latency_seconds"])
def test_numbers_below_0_and_without_end_are_left_out(tmp_path: Path, name: str, wrong: float) -> None:
    values: dict[str, Any] = {name: wrong}
    events = [
        prompt("p1", 0, **values),
        answer("a1", 1, **values),
        answer("a2", 2, **{**values, name: 3}),
        prompt("p2", 3, **{**values, name: 0}),
        answer("a3", 4, **values),
        prompt("p3", 5, **values),
        answer("a4", 6, model="small", **values),
    ]
    rows = build(write_lake(tmp_path, events))
    assert columns(rows, "exchange_id", name, "answer_count", "model") == [
        ("p1", 3.0, 2, None),
        ("p2", 0.0, 1, None),
        ("p3", None, 1, "small"),
    ]


def test_input_tokens_are_added_over_answers_if_the_prompt_has_none(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [prompt("p1", 0), answer("a1", 1, input_tokens=50), answer("a2", 2, input_tokens=6)])
    assert columns(build(lake), "input_tokens", "is_error") == [(56.0, None)]


def test_a_prompt_without_answer_has_the_numbers_of_the_prompt(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [prompt("p1", 0, output_tokens=9, model="small"), prompt("p2", 5), answer("a2", 6)])
    names = ("exchange_id", "answer_event_id", "seconds_to_answer", "answer_count", "output_tokens", "model", "ending")
    assert columns(build(lake), *names) == [
        ("p1", None, None, 0, 9.0, "small", "continued"),
        ("p2", "a2", 1.0, 1, None, None, "open"),
    ]


@pytest.mark.parametrize("blank", ["", " \n\t", "\u2003"])
def test_a_blank_prompt_is_an_exchange_without_topic(tmp_path: Path, blank: str) -> None:
    lake = write_lake(
        tmp_path, [prompt("p0", 0), prompt("p1", 3, blank), answer("a1", 4)], topics={"hello": "prompt-1"}
    )
    names = ("exchange_id", "field", "topic_id", "subject_topic_id", "subject_number", "answer_event_id")
    assert columns(build(lake), *names) == [
        ("p0", "prompt", "prompt-1", "prompt-1", 1, None),
        ("p1", "prompt", None, None, 1, "a1"),
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"prompt": " ", "question": "refund"}, ("question", "question-1", "question-1")),
        ({"prompt": "", "question": "hello"}, ("question", None, None)),
        ({"prompt": "hello", "question": "refund"}, ("prompt", None, None)),
        ({"prompt": "refund", "question": " "}, ("prompt", "question-1", "question-1")),
        ({"prompt": " ", "question": ""}, ("prompt", None, None)),
        ({"question": " "}, ("question", None, None)),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_prompt_with_a_text_comes_before_a_blank_one(
    tmp_path: Path, order: int, texts: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    usual = [Event(f"p{number}", "prompt_sent", number, {"prompt": "hello"}) for number in range(2)]
    events = [*usual, Event("p2", "prompt_sent", 2, {"question": "hello"}), Event("p3", "prompt_sent", 3, texts)]
    lake = write_lake(tmp_path, events, topics={"refund": "question-1"}, order=order)
    assert columns(build(lake), "field", "topic_id", "subject_topic_id")[-1] == expected


def test_answers_and_feedback_before_any_prompt_are_in_no_exchange(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [feedback("f0", 0, rating=1), answer("a0", 1), prompt("p1", 2), answer("a1", 3)])
    assert columns(build(lake), "exchange_id", "answer_event_id", "feedback_count", "rating") == [("p1", "a1", 0, None)]


PAIRS = (
    prompt("t1-prompt-0a", 0, request_id="r1"),
    answer("t1-generation-0b", 1, request_id="r1"),
    prompt("t2-prompt-0c", 2, request_id="r2"),
    answer("t2-generation-0d", 3, request_id="r2"),
)


@pytest.mark.parametrize(
    "ids",
    [
        {"trace_id": "t1"},
        {"trace_id": "t1-prompt-0a"},
        {"trace_id": "t1-generation-0b"},
        {"request_id": "r1"},
        {"request_id": "r1", "trace_id": "unknown"},
    ],
)
def test_feedback_may_name_an_earlier_exchange_by_an_id(tmp_path: Path, ids: dict[str, Any]) -> None:
    lake = write_lake(tmp_path, [*PAIRS, feedback("f1", 9, rating=5, **ids)])
    rows = columns(build(lake), "exchange_id", "rating", "feedback_count")
    assert rows == [("t1-prompt-0a", 5.0, 1), ("t2-prompt-0c", None, 0)]


@pytest.mark.parametrize(
    "ids", [{"request_id": "r1", "trace_id": "t2"}, {"trace_id": "unknown"}, {"request_id": " "}, {"request_id": "r3"}]
)
def test_feedback_that_names_no_or_two_exchanges_belongs_to_the_last_one(tmp_path: Path, ids: dict[str, Any]) -> None:
    shared = (prompt("p3", 4, request_id="r3"), prompt("p4", 5, request_id="r3"))  # an id of two exchanges names none
    lake = write_lake(tmp_path, [*PAIRS, *shared, feedback("f1", 9, rating=5, **ids)])
    rows = columns(build(lake), "exchange_id", "feedback_count")
    assert rows == [("t1-prompt-0a", 0), ("t2-prompt-0c", 0), ("p3", 0), ("p4", 1)]


def test_an_id_names_no_exchange_of_another_session(tmp_path: Path) -> None:
    other = prompt("p3", 4, session_id="s2")
    lake = write_lake(tmp_path, [*PAIRS, other, feedback("f1", 9, "s2", rating=5, request_id="r1")])
    rows = columns(build(lake), "exchange_id", "feedback_count")
    assert rows == [("t1-prompt-0a", 0), ("t2-prompt-0c", 0), ("p3", 1)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"rating": 3}, 3.0),
        ({"rating": -1.5}, -1.5),
        ({"thumbs": "up"}, 1.0),
        ({"thumbs": "Thumbs_Down"}, 0.0),
        ({"thumbs": "👍"}, 1.0),
        ({"thumbs": True}, 1.0),
        ({"thumbs": False}, 0.0),
        ({"thumbs": "sideways"}, None),
        ({"thumbs": " "}, None),
        ({"rating": 2, "thumbs": "up"}, 2.0),
        ({"comment": "good"}, None),
    ],
)
def test_a_rating_is_a_number_or_a_thumb(tmp_path: Path, values: dict[str, Any], expected: float | None) -> None:
    lake = write_lake(tmp_path, [prompt("p1", 0), feedback("f1", 1, **values)])
    assert columns(build(lake), "rating", "feedback_count") == [(expected, 1)]


def test_the_last_rating_of_feedback_wins_over_that_of_the_answer(tmp_path: Path) -> None:
    events = [prompt("p1", 0), answer("a1", 1, rating=5), feedback("f1", 2, rating=2), feedback("f2", 3, rating=1)]
    lake = write_lake(tmp_path, [*events, feedback("f3", 4, comment="none")])
    assert columns(build(lake), "rating", "feedback_count") == [(1.0, 3)]
    assert lake.read("exchange_values").rows() == [
        ("p1", "rating", "answer", 5.0, None),
        ("p1", "rating", "feedback", 1.0, None),
    ]


def test_a_field_on_both_sides_has_a_value_for_each(tmp_path: Path) -> None:
    events = [prompt("p1", 0, plan="a", words=1), answer("a1", 1, plan="b"), answer("a2", 2, plan="c", words=2)]
    lake = write_lake(tmp_path, events)
    build(lake)
    assert lake.read("exchange_values").rows() == [
        ("p1", "plan", "prompt", None, "a"),
        ("p1", "plan", "answer", None, "b"),
        ("p1", "words", "prompt", 1.0, None),
        ("p1", "words", "answer", 2.0, None),
    ]


def test_sessions_are_numbered_by_user_and_not_at_all_without_one(tmp_path: Path) -> None:
    def say(event_id: str, seconds: float, session_id: str, user_id: str | None) -> Event:
        return Event(event_id, "prompt_sent", seconds, {"prompt": "hello"}, session_id, user_id)

    page = Event("x0", "page_opened", -50, {}, "s0", "u1")  # a session without exchanges counts too
    events = [
        say("p3", 200, "s3", "u1"),
        say("p1", 0, "s1", "u1"),
        say("p2", 50, "s2", None),
        say("p4", 99, "s4", "u2"),
    ]
    rows = build(write_lake(tmp_path, [page, *events]))
    assert columns(rows, "exchange_id", "user_id", "session_number") == [
        ("p1", "u1", 2),
        ("p2", None, None),
        ("p4", "u2", 1),
        ("p3", "u1", 3),
    ]


def test_subjects_are_numbered_and_follow_ups_continue_them(tmp_path: Path) -> None:
    texts = ["hm", "refund", "and then", "invoice", "hm", "invoice", "refund"]
    lake = write_lake(
        tmp_path,
        [prompt(f"p{number}", number, text) for number, text in enumerate(texts)],
        topics={"refund": "prompt-1", "invoice": "prompt-2", "and then": "prompt-3"},
        continued={"p2": "prompt-1"},
    )
    names = ("topic_id", "subject_topic_id", "subject_number", "exchange_number")
    assert columns(build(lake), *names) == [
        (None, None, None, 1),
        ("prompt-1", "prompt-1", 1, 2),
        ("prompt-3", "prompt-1", 1, 3),
        ("prompt-2", "prompt-2", 2, 4),
        (None, None, 2, 5),
        ("prompt-2", "prompt-2", 2, 6),
        ("prompt-1", "prompt-1", 3, 7),
    ]


def test_a_session_ends_when_the_gap_has_passed_since_its_last_event(tmp_path: Path) -> None:
    events = [
        prompt("p1", 0, session_id="s1"),
        prompt("p2", 1, session_id="s2"),
        prompt("p3", 2, session_id="s3"),
        prompt("p4", 3, session_id="s3"),
        Event("x2", "page_opened", 100, {}, "s2"),  # its other events keep a session open
        Event("x4", "page_opened", 600, {}, "s4"),
    ]
    rows = build(write_lake(tmp_path, events), ExchangeOptions(session_gap_minutes=10))
    assert columns(rows, "exchange_id", "ending") == [
        ("p1", "ended"),
        ("p2", "open"),
        ("p3", "continued"),
        ("p4", "open"),
    ]


def test_the_last_event_ahead_of_the_clock_ends_no_session(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [prompt("p1", 0), Event("x1", "page_opened", 9e6, {}, "s2")])
    events = lake.read("events").with_columns(is_time_ahead=pl.col("event_id") == "x1")
    lake.write("events", events)
    assert columns(build(lake), "ending") == [("open",)]


def test_without_events_the_tables_are_empty(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [])
    assert build(lake) == []
    for table in ("exchange_roles", "exchanges", "exchange_values"):
        assert lake.read(table).equals(LAKE_TABLES[table].empty())


def test_without_prompts_there_are_no_exchanges(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [answer("a1", 0, words=1), feedback("f1", 1, rating=1)])
    assert build(lake) == []
    assert lake.read("exchange_values").is_empty()


def _conversations() -> list[Event]:
    numbers: dict[str, Any] = {"cost_usd": 0.1, "output_tokens": 3, "words": 2, "request_id": "r", "plan": "team"}
    events: list[Event] = []
    for number in range(30):
        session, start = f"s{number}", number * 7.0
        events += [
            prompt(f"p{number}", start, f"text {number % 3}", session, plan="free"),
            answer(f"a{number}", start + 1, session, **numbers),
            answer(f"b{number}", start + 1, session, **{**numbers, "cost_usd": 0.2, "words": 9}),
            prompt(f"q{number}", start + 2, "more", session),
            feedback(f"f{number}", start + 3, session, thumbs="up", request_id="r"),
        ]
    return events


def test_neither_shards_nor_the_order_of_rows_change_the_result(tmp_path: Path) -> None:
    topics, events = {"text 1": "prompt-1", "text 2": "prompt-2"}, _conversations()
    results = []
    for name, order, size in (("one", 1, 10_000), ("seven", 1, len(events) // 7), ("reversed", -1, 10_000)):
        lake = write_lake(tmp_path / name, events, topics=topics, continued={"q4": "prompt-1"}, order=order)
        write_exchanges(lake, ExchangeOptions(events_per_shard=size))
        results.append(
            [lake.read(table).sort(pl.all()) for table in ("exchange_roles", "exchanges", "exchange_values")]
        )
    assert results[0][1].height == 60
    for result in results[1:]:
        for table, expected in zip(result, results[0], strict=True):
            assert table.equals(expected)


def test_the_roles_of_named_events_replace_those_that_are_recognized(tmp_path: Path) -> None:
    events = [
        Event("t1", "ticket", 0, {"comment": "broken"}),
        prompt("p1", 1),
        Event("x1", "note", 2, {"rating": 3}),
        answer("a1", 4),
    ]
    lake = write_lake(tmp_path, events)
    options = ExchangeOptions(NamedEvents(["ticket"], ["note"], ["answer_given", "unknown"]))
    names = ("exchange_id", "field", "answer_event_id", "feedback_count")
    assert columns(build(lake, options), *names) == [("t1", "comment", "x1", 1)]
    assert lake.read("exchange_roles").rows() == [
        ("prompt", "ticket", "comment", 1, "setting"),
        ("answer", "note", "", 1, "setting"),
        ("feedback", "answer_given", "", 1, "setting"),
    ]


def test_a_path_with_marks_of_patterns_and_quotes_works(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "it's [1] *?", [prompt("p1", 0)])
    assert columns(build(lake), "exchange_id", "prompt_at") == [("p1", NOON + dt.timedelta())]
