"""The canonical tables of files with given rows."""

import datetime as dt
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import EVENT_VALUES, LAKE_EVENTS, REJECTED_EVENTS, SOURCE_FILES
from turret_pipeline_tests.ingest.imports import (
    FILE_TIME,
    NOON,
    READ_AT,
    at,
    import_rows,
    read_files,
    row,
    row_counts,
    write_files,
)

LLM = {"event_id": "x", "user_id": "u", "prompt": "p", "generation": "g", "timestamp": NOON.isoformat()}


def event_ids(lake: Lake) -> list[str]:
    return lake.read("events")["event_id"].to_list()


def derive_sessions(root: Path, *rows: dict[str, Any], gap: float = 30) -> dict[str, str]:
    """Sessions by event."""
    events = import_rows(root, {"a.jsonl": rows}, CanonicalOptions(session_gap_minutes=gap)).read("events")
    return dict(events.select("event_id", "session_id").iter_rows())


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(["a.jsonl", "b.jsonl", "z.jsonl"])))
def test_events_come_in_order_of_time_then_file_and_line(tmp_path: Path, order: Sequence[str]) -> None:
    files = {
        "a.jsonl": [row("late", 5), LLM, row("a3")],
        "b.jsonl": [row("b1")],
        "z.jsonl": [row("early", -5), row("z2")],
    }
    lake = import_rows(tmp_path, {name: files[name] for name in order})
    assert event_ids(lake) == ["early", "x-prompt", "x-generation", "a3", "b1", "z2", "late"]


def test_events_of_a_microsecond_are_ordered_by_nanosecond(tmp_path: Path) -> None:
    unix = int(NOON.timestamp()) * 10**9
    rows = [
        row("900", timestamp="2024-05-01T12:00:00.000000900Z"),
        row("100", timestamp=unix + 100),
        row("500", timestamp="2024-05-01 12:00:00.0000005 +0000 UTC"),
        row("50", timestamp=str(unix + 50)),
        row("1900", timestamp="2024-05-01T12:00:00.0000019Z"),
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows, "b.jsonl": [row("0")]})
    assert event_ids(lake) == ["0", "50", "100", "500", "900", "1900"]
    assert lake.read("events")["session_id"].unique().to_list() == ["session-0"]
    repeated = import_rows(tmp_path / "ids", {"a.jsonl": [line | {"event_id": "same"} for line in rows]})
    assert repeated.read("events").select("line_number", "nanosecond").rows() == [(5, 900)]


def test_no_files_give_empty_tables(tmp_path: Path) -> None:
    lake = import_rows(tmp_path, {})
    assert_frame_equal(lake.read("events"), LAKE_EVENTS.empty())
    assert_frame_equal(lake.read("rejected_events"), REJECTED_EVENTS.empty())
    assert_frame_equal(lake.read("source_files"), SOURCE_FILES.empty())
    assert_frame_equal(lake.read("event_values"), EVENT_VALUES.empty())


def test_only_a_pause_longer_than_the_gap_starts_a_session(tmp_path: Path) -> None:
    found = derive_sessions(tmp_path, row("e1", 0), row("e2", 30), row("e3", 60), row("e4", 90.001), row("e5", 91))
    first, second = "session-e1", "session-e4"
    assert found == {"e1": first, "e2": first, "e3": first, "e4": second, "e5": second}


def test_users_do_not_share_a_derived_session(tmp_path: Path) -> None:
    found = derive_sessions(
        tmp_path, row("e1", 0), row("f1", 1, user_id="u2"), row("e2", 2), row("f2", 40, user_id="u2")
    )
    assert found == {"e1": "session-e1", "f1": "session-f1", "e2": "session-e1", "f2": "session-f2"}


def test_an_event_without_user_and_session_gets_its_own_session(tmp_path: Path) -> None:
    found = derive_sessions(tmp_path, row("e1", 0, user_id=None), row("e2", 0, user_id=None), row("e3", 1))
    assert found == {"e1": "session-e1", "e2": "session-e2", "e3": "session-e3"}


def test_a_given_session_stays_and_does_not_affect_derived_ones(tmp_path: Path) -> None:
    files = {"a.jsonl": [row("e1", 0), row("e2", 20, session_id="s1"), row("e3", 25)]}
    events = import_rows(tmp_path / "1", files).read("events")
    assert events.select("event_id", "session_id", "is_session_derived").rows() == [
        ("e1", "session-e1", True),
        ("e2", "s1", False),
        ("e3", "session-e1", True),
    ]
    split = derive_sessions(tmp_path / "2", row("e1", 0), row("e2", 20, session_id="s1"), row("e3", 40))
    assert split == {"e1": "session-e1", "e2": "s1", "e3": "session-e3"}


def test_equal_times_are_one_derived_session_in_order_of_the_source(tmp_path: Path) -> None:
    assert derive_sessions(tmp_path, row("e1"), row("e2"), gap=0.001) == {"e1": "session-e1", "e2": "session-e1"}


def test_a_session_continues_in_a_later_import(tmp_path: Path) -> None:
    first, second = {"a.jsonl": [row("e1", 0), row("e2", 10)]}, {"b.jsonl": [row("e3", 35), row("e4", 80)]}
    import_rows(tmp_path, first)
    events = import_rows(tmp_path, second).read("events")
    assert dict(events.select("event_id", "session_id").iter_rows()) == {
        "e1": "session-e1",
        "e2": "session-e1",
        "e3": "session-e1",
        "e4": "session-e4",
    }


def test_only_values_of_kept_events_are_written(tmp_path: Path) -> None:
    files = {
        "a.jsonl": [row("e1", 0, metadata={"b": 1, "a": "first"}), row("e1", 1, metadata={"a": "second"})],
        "b.jsonl": [row("e1", 2, metadata={"a": "other"}), row("e2", 2, metadata={"b": "x"})],
    }
    expected = [("e1", "a", "string", "other", None), ("e2", "b", "string", "x", None)]
    found = import_rows(tmp_path, files).read("event_values")
    assert_frame_equal(found, pl.DataFrame(expected, EVENT_VALUES.schema, orient="row"))


def test_every_row_of_a_file_is_accounted_for(tmp_path: Path) -> None:
    rows = [row("e1"), row("e1"), row("e3", 60), LLM, None, {"name": ""}, row(None, 1), row("e4", timestamp=None)]
    rows.append(row("e5", timestamp="2024-05-01T12:00:00"))
    files = import_rows(tmp_path, {"a.jsonl": rows}).read("source_files")
    assert files.drop("source_file", "content_sha256").row(0, named=True) == {
        "source_format": "trubrics_llm,turret",
        "row_count": 9,
        "accepted_count": 6,
        "duplicate_count": 1,
        "superseded_count": 1,
        "rejected_count": 2,
        "forgotten_count": 0,
        "repaired_count": 0,
        "assumed_id_count": 1,
        "assumed_time_count": 1,
        "assumed_zone_count": 1,
        "textless_exchange_count": 0,
        "assumed_user_count": 0,
        "split_session_count": 0,
        "late_count": 0,
        "first_event_at": NOON,
        "last_event_at": FILE_TIME,
        "ingested_at": READ_AT,
    }


def test_rows_with_repaired_values_are_counted_and_numbers_are_never_infinite(tmp_path: Path) -> None:
    rows = [
        row("e1", metadata={"text": "cut \ud83d", "n": 1}),
        json.dumps(row("e2", metadata={"n": 0})).replace('"n": 0', '"n": 1e400, "more": [1e400, NaN]'),
        row("e3", metadata=json.dumps({"text": "cut \ud83d"})),
        row("e4", metadata={"n": 2}),
        row("e4", metadata={"text": "\ud83d"}),
        row("e6", metadata={"n": 1e308}),
        '{"name": "\\ud83d"',
        {"name": None, "text": "\ud83d"},
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows, "b.jsonl": [row("e5")]})
    files = lake.read("source_files").sort("source_file")
    assert files["repaired_count"].to_list() == [4, 0]
    assert row_counts(lake) == [("a.jsonl", 8, 5, 1, 2), ("b.jsonl", 1, 1, 0, 0)]
    values = lake.read("event_values").select("event_id", "field", "value", "number").rows()
    assert sorted(values) == [
        ("e1", "n", "1", 1.0),
        ("e1", "text", "cut \ufffd", None),
        ("e2", "more", "[null,null]", None),
        ("e3", "text", "cut \ufffd", None),
        ("e4", "text", "\ufffd", None),
        ("e6", "n", "1e+308", None),
    ]


def test_rejected_rows_have_line_reason_and_text(tmp_path: Path) -> None:
    rejected = import_rows(tmp_path, {"a.jsonl": [row("e1"), '{"name":', {"name": "", "session_id": 1}]}).read(
        "rejected_events"
    )
    found = rejected.select("line_number", "reason_code", "raw_text").rows()
    assert found == [(2, "invalid_json", '{"name":'), (3, "invalid_name", '{"name": "", "session_id": 1}')]


def test_files_without_a_good_row_are_accounted_for(tmp_path: Path) -> None:
    assert row_counts(import_rows(tmp_path, {"a.jsonl": [], "b.jsonl": [None, 3]})) == [
        ("a.jsonl", 0, 0, 0, 0),
        ("b.jsonl", 2, 0, 0, 2),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_accepted_duplicate_and_rejected_rows_are_all_rows_in_any_order_of_files(
    tmp_path: Path, order: Sequence[str]
) -> None:
    contents: dict[str, list[object]] = {
        "a": [row("e1"), row("e1"), None, row(None)],
        "b": [row(None), row("e1"), row("e2")],
        "c": [row(None), [], row(None), row("e2", -60)],
    }
    lake = import_rows(tmp_path, {f"{name}.jsonl": contents[name] for name in order})
    found = row_counts(lake)
    assert sum(accepted for _, _, accepted, _, _ in found) == lake.read("events").height == 4
    assert all(rows == accepted + duplicate + rejected for _, rows, accepted, duplicate, rejected in found)


@pytest.mark.slow
def test_importing_day_by_day_equals_importing_all_at_once(tmp_path: Path) -> None:
    days = {
        f"{day:02}.jsonl": [
            *(
                row(None if k % 3 else f"e{day}-{k}", day * 1440 + k * 17 % 1440, user_id=f"u{k % 4}", n=k)
                for k in range(60)
            ),
            row("same", day * 1440),
            "not json",
        ]
        for day in range(5)
    }
    for name, rows in days.items():
        import_rows(tmp_path / "daily", {name: rows})
    whole = [line for rows in days.values() for line in rows]
    one, many = import_rows(tmp_path / "once", {"all.jsonl": whole}), Lake(tmp_path / "daily" / "lake")
    place = ["source_file", "content_sha256", "line_number"]
    assert_frame_equal(many.read("events").drop(place), one.read("events").drop(place))
    assert_frame_equal(many.read("event_values"), one.read("event_values"))
    assert_frame_equal(many.read("rejected_events").drop(place), one.read("rejected_events").drop(place))


def test_a_clock_ahead_of_receipt_or_ingestion_is_marked(tmp_path: Path) -> None:
    minutes = (READ_AT - NOON).total_seconds() / 60
    rows = [
        row("fine", received_at=at(0)),
        row("a little", received_at=at(-10)),
        row("ahead", received_at=at(-10.1)),
        row("future", minutes + 10.1),
        row("soon", minutes + 9.9),
    ]
    events = import_rows(tmp_path, {"a.jsonl": rows}, CanonicalOptions(clock_tolerance_minutes=10)).read("events")
    assert set(events.filter("is_time_ahead")["event_id"]) == {"ahead", "future"}


def test_the_latest_event_of_a_file_is_not_one_of_a_wrong_clock(tmp_path: Path) -> None:
    future = row("future", timestamp="2099-01-01T00:00:00Z")
    lake = import_rows(tmp_path, {"a.jsonl": [row("first"), future, row("last", 5)], "b.jsonl": [future]})
    files = lake.read("source_files").select("first_event_at", "last_event_at", "late_count").rows()
    assert files == [(NOON, NOON + dt.timedelta(minutes=5), 0), (dt.datetime(2099, 1, 1, tzinfo=dt.UTC), None, 0)]


def test_events_of_days_that_were_published_already_are_counted_as_late(tmp_path: Path) -> None:
    days = [row("old", -1440), row("yesterday", -721), row("today", 0), row("new", 1440)]
    (path,) = write_files(tmp_path, {"a.jsonl": days})
    parts, _ = read_files(tmp_path, [path], ingestion=Ingestion(READ_AT, published_until=NOON))
    write_canonical(parts, Lake(tmp_path / "lake"), CanonicalOptions())
    assert Lake(tmp_path / "lake").read("source_files")["late_count"].to_list() == [2]


def test_numbers_of_any_length_do_not_stop_a_run(tmp_path: Path) -> None:
    lines = [
        f'{{"event_id":"e{n}","name":"a","timestamp":1714564800,"metadata":{{"n":{"9" * n}}}}}'
        for n in (1, 30, 299, 5000)
    ]
    lake = import_rows(tmp_path, {"a.jsonl": [*lines, row("last")]})
    ((_, rows, accepted, duplicate, rejected),) = row_counts(lake)
    assert (rows, duplicate) == (5, 0) == (accepted + rejected, 0)
    assert {"e1", "e30", "last"} <= set(event_ids(lake))


def test_a_blank_id_counts_as_missing(tmp_path: Path) -> None:
    lake = import_rows(tmp_path, {"a.jsonl": [row(" ", 0, user_id="\t"), row(" ", 1, x=1), row("  ", 2)]})
    assert len(set(event_ids(lake))) == 3
    assert lake.read("events")["user_id"].to_list() == [None, "u1", "u1"]


def test_folder_and_file_names_may_contain_special_characters(tmp_path: Path) -> None:
    lake = import_rows(tmp_path / 'it\'s [new] * 100% "ok"?', {"a'b [1].jsonl": [row("e1", metadata={"n": 1})]})
    assert row_counts(lake) == [("a'b [1].jsonl", 1, 1, 0, 0)]
    assert lake.read("event_values")["value"].to_list() == ["1"]


def test_spill_files_are_removed(tmp_path: Path) -> None:
    import_rows(tmp_path, {"a.jsonl": [row("e1")]})
    assert sorted(path.name for path in (tmp_path / "lake").iterdir()) == [
        ".checksums.json",
        "event_values.parquet",
        "events.parquet",
        "identities.parquet",
        "parts",
        "rejected_events.parquet",
        "scrubbed_values.parquet",
        "source_files.parquet",
    ]
    assert isinstance(PartStore(tmp_path / "lake" / "parts").content_hashes(), list)
