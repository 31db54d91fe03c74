"""Parts of many files in; the canonical tables out."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.events.canonical import accepted_values, account_for_rows, canonical_events, with_sessions
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, VALUE_PART_SCHEMA, Parsed, parse_records
from turret_pipeline.events.reading import Record
from turret_pipeline.tables import EVENT_VALUES, EVENTS, REJECTED_EVENTS, SOURCE_FILES

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def part(event_id: str, minutes: float = 0, **given: object) -> dict[str, Any]:
    """A parsed event; the session is missing unless given."""
    row = {
        "event_id": event_id,
        "event_name": "asked",
        "session_id": None,
        "user_id": "u1",
        "event_at": NOON + dt.timedelta(minutes=minutes),
        "received_at": None,
        "source_format": "turret",
        "source_file": "a.jsonl",
        "line_number": 1,
        "item_number": 1,
        "metadata": "{}",
        "content_sha256": "sha-a",
    }
    return row | given


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, EVENT_PART_SCHEMA)


def sessions(*rows: dict[str, Any], gap: float = 30) -> dict[str, str]:
    """Session by event."""
    events = canonical_events(frame(*rows), gap)
    return dict(events.select("event_id", "session_id").iter_rows())


def row(event_id: str | None, **given: object) -> dict[str, Any]:
    """An input row at noon."""
    return {"event_id": event_id, "name": "asked", "timestamp": NOON.isoformat()} | given


def read(source_file: str, *rows: object) -> Parsed:
    records = [Record(number, value) for number, value in enumerate(rows, start=1)]
    [batch] = parse_records(records, source_file, f"sha of {source_file}")
    return batch


def accounts(batches: dict[str, Parsed]) -> pl.DataFrame:
    """Table source_files of files with these contents."""
    parts = pl.concat([batch.events for batch in batches.values()])
    rejected = pl.concat([batch.rejected for batch in batches.values()])
    files = pl.DataFrame(
        [(name, f"sha of {name}", batch.row_count, NOON) for name, batch in batches.items()],
        {name: SOURCE_FILES.schema[name] for name in ("source_file", "content_sha256", "row_count", "ingested_at")},
        orient="row",
    )
    return account_for_rows(files, parts, canonical_events(parts, 30), rejected).select(SOURCE_FILES.schema.names())


def counts(batches: dict[str, Parsed]) -> list[tuple[Any, ...]]:
    """File; rows, accepted, duplicate, rejected."""
    names = ("source_file", "row_count", "accepted_count", "duplicate_count", "rejected_count")
    return accounts(batches).select(names).rows()


def test_events_come_in_order_of_time_then_file_line_and_item() -> None:
    rows = [
        part("late", 5),
        part("b1", 0, source_file="b.jsonl", line_number=1),
        part("a10", 0, line_number=10),
        part("a2-2", 0, line_number=2, item_number=2),
        part("a2-1", 0, line_number=2, item_number=1),
        part("early", -5, source_file="z.jsonl"),
    ]
    wanted = ["early", "a2-1", "a2-2", "a10", "b1", "late"]
    for order in (rows, rows[::-1], rows[3:] + rows[:3]):
        assert canonical_events(frame(*order), 30)["event_id"].to_list() == wanted


def test_of_equal_ids_the_first_is_kept_whatever_the_order_of_the_files() -> None:
    rows = [
        part("e1", 0, source_file="b.jsonl", content_sha256="sha-b", session_id="s1"),
        part("e1", 0, source_file="a.jsonl", line_number=7, session_id="s1"),
        part("e1", 1, source_file="a.jsonl", line_number=1, session_id="s1"),
        part("e2", 3, source_file="a.jsonl", line_number=2, session_id="s1"),
    ]
    expected = frame(rows[1], rows[3]).with_columns(is_session_derived=pl.lit(value=False))
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        found = canonical_events(frame(*order), 30)
        assert_frame_equal(found, expected.select(*EVENTS.schema.names(), "content_sha256"))


def test_no_parts_give_no_events() -> None:
    found = canonical_events(frame(), 30)
    assert_frame_equal(found.select(EVENTS.schema.names()), EVENTS.empty())


def test_a_silence_longer_than_the_gap_opens_a_session_and_one_as_long_does_not() -> None:
    found = sessions(part("e1", 0), part("e2", 30), part("e3", 60), part("e4", 90.001), part("e5", 91))
    assert found == {
        "e1": "session-e1",
        "e2": "session-e1",
        "e3": "session-e1",
        "e4": "session-e4",
        "e5": "session-e4",
    }


def test_users_do_not_share_a_derived_session() -> None:
    found = sessions(part("e1", 0), part("f1", 1, user_id="u2"), part("e2", 2), part("f2", 40, user_id="u2"))
    assert found == {"e1": "session-e1", "f1": "session-f1", "e2": "session-e1", "f2": "session-f2"}


def test_an_event_without_user_and_session_is_a_session_by_itself() -> None:
    found = sessions(part("e1", 0, user_id=None), part("e2", 0, user_id=None), part("e3", 1))
    assert found == {"e1": "session-e1", "e2": "session-e2", "e3": "session-e3"}


def test_a_given_session_stays_and_neither_joins_nor_parts_derived_ones() -> None:
    events = canonical_events(frame(part("e1", 0), part("e2", 20, session_id="s1"), part("e3", 25)), 30)
    assert events.select("event_id", "session_id", "is_session_derived").rows() == [
        ("e1", "session-e1", True),
        ("e2", "s1", False),
        ("e3", "session-e1", True),
    ]
    parted = sessions(part("e1", 0), part("e2", 20, session_id="s1"), part("e3", 40))
    assert parted == {"e1": "session-e1", "e2": "s1", "e3": "session-e3"}


def test_equal_times_are_one_derived_session_in_order_of_the_source() -> None:
    found = sessions(part("e2", 0, line_number=2), part("e1", 0, line_number=1), gap=0)
    assert found == {"e1": "session-e1", "e2": "session-e1"}


def test_sessions_of_no_events_are_none() -> None:
    assert with_sessions(frame(), 30).height == 0


def test_only_the_values_of_kept_events_are_accepted() -> None:
    events = canonical_events(frame(part("e1", 0, line_number=1), part("e1", 1, line_number=2), part("e2", 2)), 30)
    rows = [
        ("e2", "b", "string", "x", None, "sha-a", 1, 1),
        ("e1", "b", "number", "1", 1.0, "sha-a", 1, 1),
        ("e1", "a", "string", "first", None, "sha-a", 1, 1),
        ("e1", "a", "string", "second", None, "sha-a", 2, 1),
        ("e1", "a", "string", "other file", None, "sha-b", 1, 1),
    ]
    expected = [
        ("e1", "a", "string", "first", None),
        ("e1", "b", "number", "1", 1.0),
        ("e2", "b", "string", "x", None),
    ]
    for order in (rows, rows[::-1]):
        found = accepted_values(events, pl.LazyFrame(order, VALUE_PART_SCHEMA, orient="row"))
        assert_frame_equal(found, pl.DataFrame(expected, EVENT_VALUES.schema, orient="row"))


def test_no_values_are_accepted_from_no_events() -> None:
    events = canonical_events(frame(), 30)
    assert_frame_equal(accepted_values(events, pl.LazyFrame(schema=VALUE_PART_SCHEMA)), EVENT_VALUES.empty())


def test_every_row_of_a_file_is_accounted_for() -> None:
    later = row("e3", timestamp=(NOON + dt.timedelta(hours=1)).isoformat())
    llm = {"event_id": "x", "user_id": "u", "prompt": "p", "generation": "g", "timestamp": NOON.isoformat()}
    found = accounts({"a.jsonl": read("a.jsonl", row("e1"), row("e1"), later, llm, None, {"name": ""})})
    expected = [
        ("a.jsonl", "sha of a.jsonl", "trubrics_llm,turret", 6, 3, 1, 2, NOON, NOON + dt.timedelta(hours=1), NOON)
    ]
    assert_frame_equal(found, pl.DataFrame(expected, SOURCE_FILES.schema, orient="row"))


def test_rows_known_from_another_file_are_duplicates_where_they_come_later() -> None:
    found = counts(
        {
            "b.jsonl": read("b.jsonl", row("e2"), row("e3"), row("e1")),
            "a.jsonl": read("a.jsonl", row("e1"), row("e2")),
        }
    )
    assert found == [("a.jsonl", 2, 2, 0, 0), ("b.jsonl", 3, 1, 2, 0)]


def test_a_grown_file_without_ids_adds_only_what_is_new() -> None:
    rows = [row(None), row(None), row(None, user_id="u1")]
    found = counts({"a.jsonl": read("a.jsonl", *rows), "b.jsonl": read("b.jsonl", *rows, row(None), row(None, x=1))})
    assert found == [("a.jsonl", 3, 3, 0, 0), ("b.jsonl", 5, 2, 3, 0)]


def test_a_row_with_two_events_is_accepted_where_one_of_them_is_kept() -> None:
    llm = {"event_id": "x", "user_id": "u", "prompt": "p", "generation": "g", "timestamp": NOON.isoformat()}
    found = counts({"a.jsonl": read("a.jsonl", row("x-prompt")), "b.jsonl": read("b.jsonl", llm, llm)})
    assert found == [("a.jsonl", 1, 1, 0, 0), ("b.jsonl", 2, 1, 1, 0)]


def test_files_without_a_good_row_are_accounted_for() -> None:
    found = accounts({"a.jsonl": read("a.jsonl"), "b.jsonl": read("b.jsonl", None, 3)})
    expected = [
        ("a.jsonl", "sha of a.jsonl", None, 0, 0, 0, 0, None, None, NOON),
        ("b.jsonl", "sha of b.jsonl", None, 2, 0, 0, 2, None, None, NOON),
    ]
    assert_frame_equal(found, pl.DataFrame(expected, SOURCE_FILES.schema, orient="row"))


def test_no_files_give_no_accounts() -> None:
    files = SOURCE_FILES.empty().select("source_file", "content_sha256", "row_count", "ingested_at")
    found = account_for_rows(files, frame(), canonical_events(frame(), 30), REJECTED_EVENTS.empty())
    assert_frame_equal(found.select(SOURCE_FILES.schema.names()), SOURCE_FILES.empty())


@pytest.mark.parametrize("order", [["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]])
def test_accepted_duplicate_and_rejected_rows_are_all_rows_in_any_order_of_files(order: Sequence[str]) -> None:
    contents: dict[str, list[object]] = {
        "a": [row("e1"), row("e1"), None, row(None)],
        "b": [row(None), row("e1"), row("e2")],
        "c": [[], row(None), row(None), row("e2", timestamp="2024-05-01T11:00:00Z")],
    }
    found = counts({name: read(name, *contents[name]) for name in order})
    assert found == [("a", 4, 2, 1, 1), ("b", 3, 0, 3, 0), ("c", 4, 2, 1, 1)]
    assert all(rows == accepted + duplicate + rejected for _, rows, accepted, duplicate, rejected in found)
