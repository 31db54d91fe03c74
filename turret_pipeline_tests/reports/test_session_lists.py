"""Lists of sessions, by what happens in them and how they go, and the page of one session."""

import json
from typing import Any

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.exchange_filter import ExchangeFilter
from turret_pipeline.reports.exchange_lists import RowRange
from turret_pipeline.reports.session_filter import SessionFilter, check_node, split_path
from turret_pipeline.reports.session_lists import list_sessions
from turret_pipeline.reports.session_turns import EVENTS_SHOWN, read_events, read_session, read_turns
from turret_pipeline_tests.reports.literal_tables import Rows, at, open_tables

ALL = RowRange(100)
PATHS = {"s1": "A B A", "s2": "A A B", "s3": "B", "s4": ""}
"""Events of each session in the dimension event_name. Session s4 has none in the tables of journeys."""


def make_tables() -> dict[str, Rows]:
    sessions: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for number, (session, path) in enumerate(PATHS.items()):
        names = path.split()
        user = None if session == "s3" else "u"
        sessions.append(
            {
                "session_id": session,
                "user_id": user,
                "started_at": at(100 * number),
                "ended_at": at(100 * number + 9),
                "duration_seconds": 540.0,
                "event_count": len(names),
                "is_derived": False,
            }
        )
        for place, name in enumerate(names):
            is_same = place > 0 and names[place - 1] == name
            events.append(
                {
                    "event_id": f"{session}-{place}",
                    "event_name": name,
                    "session_id": session,
                    "user_id": user,
                    "event_at": at(100 * number + place),
                    "nanosecond": 0,
                    "source_file": "f",
                    "line_number": place,
                    "item_number": 0,
                    "metadata": json.dumps({"prompt": f"text {session} {place}", "answer": "yes", "note": "n"}),
                }
            )
            if is_same:
                steps[-1]["event_count"] += 1
                steps[-1]["seconds_to_next"] = None if place == len(names) - 1 else 60.0
            else:
                steps.append(
                    {
                        "dimension": "event_name",
                        "sequence_id": session,
                        "session_id": session,
                        "step_number": sum(step["sequence_id"] == session for step in steps) + 1,
                        "node_id": name,
                        "event_count": 1,
                        "seconds_to_next": None if place == len(names) - 1 else 60.0,
                    }
                )
    prompts = [("s1", 0, "prompt-1"), ("s1", 2, "prompt-2"), ("s2", 1, "prompt-1"), ("s4", 0, "prompt-1")]
    exchanges = [
        {
            "exchange_id": f"{session}-{place}",
            "prompt_event_id": f"{session}-{place}",
            "answer_event_id": f"{session}-1" if (session, place) == ("s1", 0) else None,
            "session_id": session,
            "user_id": "u",
            "prompt_at": at(100 * int(session[1]) - 100 + place),
            "field": "prompt",
            "topic_id": topic,
            "subject_topic_id": topic,
            "exchange_number": 2 if (session, place) == ("s1", 2) else 1,
            "answer_count": 1 if (session, place) == ("s1", 0) else 0,
            "rating": 2.0 + place,
        }
        for session, place, topic in prompts
    ]
    return {
        "sessions": sessions,
        "journey_steps": steps,
        "journey_nodes": [
            {"dimension": "event_name", "node_id": name, "node_label": name.lower()} for name in ("A", "B")
        ],
        "events": events,
        "exchanges": exchanges,
        "exchange_signals": [{"exchange_id": "s1-0", "is_declined": True, "declined_reason": "It says no."}],
        "event_topics": [{"event_id": "s2-0", "field": "note", "topic_id": "note-1", "outcome": "assigned"}],
        "topics": [
            {"topic_id": "prompt-1", "field": "prompt", "label": "First", "user_count": 3},
            {"topic_id": "prompt-2", "field": "prompt", "label": "Second", "user_count": 1},
            {"topic_id": "note-1", "field": "note", "label": "Notes", "user_count": 1},
        ],
        "exchange_roles": [{"role": "answer", "event_name": "B", "field": "answer"}],
        "session_values": [{"session_id": "s1", "field": "plan", "value": "free"}],
    }


def path(*nodes: str) -> SessionFilter:
    return SessionFilter("event_name", (nodes,))


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        (SessionFilter(), ["s4", "s2", "s1"]),  # with an exchange
        (path("A"), ["s2", "s1"]),
        (path("A", "B"), ["s2", "s1"]),
        (path("B", "A"), ["s1"]),
        (path("A", "A"), ["s2"]),
        (path("B", "B"), []),
        (path("(start)", "A"), ["s2", "s1"]),
        (path("(start)", "B"), ["s3"]),
        (path("A", "(end)"), ["s1"]),
        (path("A", "B", "A"), ["s1"]),
        (path("(start)", "A", "B", "(end)"), ["s2"]),
        (path("(start)", "A", "A", "B", "(end)"), ["s2"]),
        (SessionFilter("event_name", (("A",), ("B", "(end)"))), ["s2"]),
        (SessionFilter(outcome="B"), ["s3", "s2", "s1"]),
        (SessionFilter(outcome="A"), ["s2", "s1"]),
        (SessionFilter(outcome="B", outcome_topic_id="note-1"), ["s2"]),
        (SessionFilter(outcome="(struggle)"), []),
        (SessionFilter(exchanges=ExchangeFilter(topic_id="prompt-1")), ["s4", "s2", "s1"]),
        (SessionFilter(exchanges=ExchangeFilter(topic_id="prompt-2", signal="declined")), []),  # of one exchange
        (SessionFilter(exchanges=ExchangeFilter(signal="declined")), ["s1"]),
        (SessionFilter(exchanges=ExchangeFilter(search="TEXT s2")), ["s2"]),
        (SessionFilter("event_name", (("B", "A"),), exchanges=ExchangeFilter(topic_id="prompt-2")), ["s1"]),
        (SessionFilter(text_topic_id="note-1"), ["s2"]),
    ],
)
def test_each_condition_selects_the_sessions_that_fulfil_it(conditions: SessionFilter, ids: list[str]) -> None:
    with open_tables(make_tables()) as connection:
        count, users, rows = list_sessions(connection, conditions, ALL, "event_name")

    assert rows["session_id"].to_list() == ids
    assert (count, users) == (len(ids), int(bool({*ids} - {"s3"})))


def test_rows_have_subjects_signals_and_the_lowest_rating() -> None:
    with open_tables(make_tables()) as connection:
        _, _, rows = list_sessions(connection, path("A", "B", "A"), ALL, "event_name")

    (row,) = rows.to_dicts()
    assert row["subjects"] == ["a", "b", "a"]
    assert (row["signals"], row["lowest_rating"], row["exchange_count"]) == (["declined"], 2.0, 2)


def test_a_node_may_contain_the_separator() -> None:
    assert split_path("(start)>a>b>c", ["a>b", "c", "a"]) == ("(start)", "a>b", "c")
    with pytest.raises(TurretError, match="Unknown node 'x>y'"):
        split_path("a>x>y", ["a"])


def test_nodes_that_cannot_be_listed_are_rejected() -> None:
    with pytest.raises(TurretError, match="too few users"):
        check_node("(other)", ["a"])
    with open_tables(make_tables()) as connection, pytest.raises(TurretError, match="needs a node"):
        list_sessions(connection, path("(start)", "(end)"), ALL, "event_name")


def test_a_session_has_its_values_and_neighbours() -> None:
    with open_tables(make_tables()) as connection:
        first, middle = read_session(connection, "s1"), read_session(connection, "s2")
        unknown_user, missing = read_session(connection, "s3"), read_session(connection, "none")

    assert first is not None
    assert middle is not None
    assert unknown_user is not None
    assert (first.values, first.exchange_count) == ((("plan", "free"),), 2)
    assert (first.previous_id, first.next_id) == (None, "s2")
    assert (middle.previous_id, middle.next_id) == ("s1", "s4")
    assert (unknown_user.previous_id, unknown_user.next_id, missing) == (None, None, None)


def test_turns_have_texts_signals_and_reasons() -> None:
    with open_tables(make_tables()) as connection:
        first, second = read_turns(connection, "s1", ALL)
        (only_second,) = read_turns(connection, "s1", RowRange(1, 1))

    assert (first["prompt"], first["answer"], first["topic"]) == ("text s1 0", "yes", "First")
    assert first["signals"] == [("declined", "It says no.")]
    assert (second["prompt"], second["answer"], second["signals"]) == ("text s1 2", None, [])
    assert only_second == second


def test_texts_of_turns_whose_topic_has_fewer_users_are_not_read() -> None:
    with open_tables(make_tables()) as connection:
        first, second = read_turns(connection, "s1", ALL, min_users=3)
        events = read_events(connection, "s2", (0, 9), min_users=3)

    assert (first["prompt"], second["prompt"], second["is_shown"]) == ("text s1 0", None, False)
    assert [text["text"] for text in events[0].rows[0]["texts"]] == [None]


def test_other_events_stand_after_their_prompt() -> None:
    with open_tables(make_tables()) as connection:
        events = read_events(connection, "s2", (0, 9))
        answers = read_events(connection, "s1", (0, 9))

    assert {turn: [row["event_name"] for row in found.rows] for turn, found in events.items()} == {0: ["A"], 1: ["B"]}
    assert events[0].rows[0]["texts"][0]["text"] == "n"
    assert answers == {}  # the only other event is the answer of the first prompt


def test_many_events_between_two_prompts_are_counted() -> None:
    many = [
        {
            "event_id": f"m{number}",
            "event_name": "scroll",
            "session_id": "s9",
            "event_at": at(number),
            "nanosecond": 0,
            "source_file": "f",
            "line_number": number,
            "item_number": 0,
        }
        for number in range(100)
    ]
    with open_tables({"events": many}) as connection:
        events = read_events(connection, "s9", (0, 0))
        last = read_events(connection, "s9", (0, 0), rows=RowRange(50, 90))

    assert (len(events[0].rows), events[0].count) == (EVENTS_SHOWN, 100)
    assert [row["event_id"] for row in last[0].rows] == [f"m{number}" for number in range(90, 100)]
