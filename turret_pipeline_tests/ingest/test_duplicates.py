"""Rows that repeat an event, and events of one trace."""

import datetime as dt
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from turret_pipeline.events.formats import FORMATS
from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import (
    FILE_TIME,
    NOON,
    READ_AT,
    at,
    build_lake,
    import_rows,
    read_files,
    row,
    row_counts,
    write_files,
)

LLM = {"event_id": "x", "user_id": "u", "prompt": "p", "generation": "g", "timestamp": NOON.isoformat()}


def event_ids(lake: Lake) -> list[str]:
    return lake.read("events")["event_id"].to_list()


def observation(name: str, minutes: float, **given: object) -> dict[str, Any]:
    """A Langfuse observation of trace t1, which has no session and no user."""
    return {"id": name, "type": "SPAN", "traceId": "t1", "name": name, "startTime": at(minutes), **given}


def forget_what_this_version_added(folder: Path) -> None:
    """Make the parts of a content as an earlier version wrote them."""
    added = ["ingestion_number", "is_session_lone", "is_session_assumed", "is_user_assumed"]
    for file in folder.glob("*.parquet"):
        pl.read_parquet(file).drop(added, strict=False).write_parquet(file)


@pytest.mark.parametrize("names", [["a.jsonl", "b.jsonl"], ["b.jsonl", "a.jsonl"]])
def test_of_equal_ids_the_row_read_last_counts_whatever_its_name_and_time(tmp_path: Path, names: list[str]) -> None:
    contents = ([row("e1", 5), row("e2", 3)], [row("e1", 1), row("e1", 0), row("e3", 4)])
    events = import_rows(tmp_path, dict(zip(names, contents, strict=True))).read("events")
    found = events.select("event_id", pl.col("source_file").str.split("/").list.last(), "line_number").rows()
    assert found == [("e1", names[1], 2), ("e2", names[0], 2), ("e3", names[1], 3)]


def test_events_have_the_session_and_the_user_of_their_trace_in_any_order_of_files(tmp_path: Path) -> None:
    trace = {"id": "t1", "timestamp": at(0), "sessionId": "s1", "userId": "u1", "input": "Hi?", "output": "Hello."}
    score = {"id": "sc1", "timestamp": at(9), "traceId": "t1", "name": "thumbs", "value": 1, "dataType": "NUMERIC"}
    other = observation("alone", 0) | {"traceId": "t2"}
    for number, rows in enumerate(itertools.permutations([trace, observation("step", -1), score, other])):
        lake = import_rows(tmp_path / str(number), {f"{place}.jsonl": [item] for place, item in enumerate(rows)})
        found = lake.read("events").select("event_name", "session_id", "user_id", "is_session_derived").rows()
        assert sorted(found) == [
            ("AI generation", "s1", "u1", False),
            ("User prompt", "s1", "u1", False),
            ("alone", "t2", None, False),
            ("feedback", "s1", "u1", False),
            ("step", "s1", "u1", False),
        ]


def test_the_session_of_a_trace_with_only_a_user_is_derived(tmp_path: Path) -> None:
    rows = [observation("first", 0), observation("second", 5, userId="u1"), row("e1", 10)]
    events = import_rows(tmp_path, {"a.jsonl": rows}).read("events")
    assert events.select("event_name", "user_id", "session_id").rows() == [
        ("first", "u1", "session-first"),
        ("second", "u1", "session-first"),
        ("asked", "u1", "session-first"),
    ]


def test_of_a_call_and_the_execution_of_a_tool_the_execution_is_kept(tmp_path: Path) -> None:
    call = {"function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    asked = observation("answer", 0, type="GENERATION", output={"role": "assistant", "tool_calls": [call]})
    run = observation("weather", 1, type="TOOL", input={"city": "Paris"}, level="ERROR")
    lake = import_rows(tmp_path, {"a.jsonl": [asked, run]})
    (found,) = lake.read("events").select("event_name", "event_at").rows()
    assert found == ("tool:weather", NOON + dt.timedelta(minutes=1))
    assert ("status", "error") in lake.read("event_values").select("field", "value").rows()


def test_rows_of_an_earlier_file_are_superseded(tmp_path: Path) -> None:
    files = {"b.jsonl": [row("e2"), row("e3"), row("e1")], "a.jsonl": [row("e1"), row("e2")]}
    lake = import_rows(tmp_path, files)
    assert row_counts(lake) == [("a.jsonl", 2, 2, 0, 0), ("b.jsonl", 3, 1, 2, 0)]
    assert lake.read("source_files")["superseded_count"].to_list() == [0, 2]


def test_a_grown_file_without_ids_adds_only_new_events(tmp_path: Path) -> None:
    rows = [row(None), row(None), row(None, user_id="u2")]
    lake = import_rows(tmp_path, {"a.jsonl": rows, "b.jsonl": [*rows, row(None), row(None, x=1)]})
    assert row_counts(lake) == [("a.jsonl", 3, 3, 0, 0), ("b.jsonl", 5, 2, 3, 0)]
    assert len(set(event_ids(lake))) == len(event_ids(lake)) == 5


def test_a_dump_without_ids_in_another_order_of_rows_and_keys_adds_nothing(tmp_path: Path) -> None:
    metadata = {"plan": "pro", "nested": {"b": [1, 2], "a": None}, "é": 1.5}
    rows = [row(None, minutes, metadata=metadata) for minutes in (0, 1, 1, 2)]
    reversed_rows = [dict(reversed(r.items())) | {"metadata": dict(reversed(metadata.items()))} for r in reversed(rows)]
    spaced = [json.dumps(r, indent=None, separators=(" , ", " : "), ensure_ascii=False) for r in reversed_rows]
    lake = import_rows(tmp_path, {"a.jsonl": rows, "b.jsonl": reversed_rows, "c.jsonl": spaced})
    assert row_counts(lake) == [("a.jsonl", 4, 4, 0, 0), ("b.jsonl", 4, 0, 4, 0), ("c.jsonl", 4, 0, 4, 0)]


def test_a_row_with_two_events_is_accepted_if_one_of_them_is_kept(tmp_path: Path) -> None:
    lake = import_rows(tmp_path, {"b.jsonl": [LLM, LLM], "a.jsonl": [row("x-prompt")]})
    assert row_counts(lake) == [("a.jsonl", 1, 1, 0, 0), ("b.jsonl", 2, 1, 1, 0)]
    assert lake.read("source_files")["superseded_count"].to_list() == [0, 1]


def test_a_corrected_export_wins_and_equal_rows_of_a_dump_without_ids_stay_where_they_were(tmp_path: Path) -> None:
    first = [row("e1", metadata={"plan": "free"}), row(None, 1, metadata={"plan": "free"})]
    second = [row("e1", metadata={"plan": "team"}), row(None, 1, metadata={"plan": "free"})]
    import_rows(tmp_path, {"export.jsonl": first})
    lake = import_rows(tmp_path, {"export.jsonl": second})
    assert lake.read("event_values").sort("value").select("field", "value").rows() == [
        ("plan", "free"),
        ("plan", "team"),
    ]
    files = lake.read("source_files").sort("superseded_count")
    counts = ("row_count", "accepted_count", "duplicate_count", "superseded_count")
    assert files.select(counts).rows() == [(2, 1, 1, 0), (2, 1, 1, 1)]


def test_a_replayed_content_does_not_win_over_what_was_read_after_it(tmp_path: Path) -> None:
    (first,) = write_files(tmp_path, {"a.jsonl": [row("e1", x="old")]})
    parts, _ = read_files(tmp_path, [first])
    read_files(tmp_path, write_files(tmp_path, {"b.jsonl": [row("e1", x="new")]}))
    later = Ingestion(READ_AT + dt.timedelta(days=1))
    sum(PartStore(parts.root).add(first, ParseOptions(FILE_TIME), later, replace=True))
    assert build_lake(tmp_path, []).read("event_values")["value"].to_list() == ["new"]


def test_contents_of_earlier_versions_come_before_all_others_in_order_of_reading(tmp_path: Path) -> None:
    texts = {"c.jsonl": "before", "a.jsonl": "long before", "b.jsonl": "new"}
    for days, (name, text) in enumerate(texts.items()):
        path = write_files(tmp_path, {name: [row("e1", x=text), row(f"only {text}")]})
        parts, _ = read_files(tmp_path, path, ingestion=Ingestion(READ_AT + dt.timedelta(days=-days)))
        if text != "new":
            forget_what_this_version_added(parts.folder(parts.content_hash(path[0])))
    lake = build_lake(tmp_path, [])
    assert lake.read("event_values")["value"].to_list() == ["new"]
    shutil.rmtree(parts.folder(parts.content_hash(tmp_path / "b.jsonl")))
    assert build_lake(tmp_path, []).read("event_values")["value"].to_list() == ["before"]


def test_a_trace_of_an_earlier_version_still_gives_its_generation_user_and_session(tmp_path: Path) -> None:
    rows = [dict(FORMATS[name].example) for name in ("langfuse_trace", "langfuse_observation")]
    parts, _ = read_files(tmp_path, write_files(tmp_path, {"a.jsonl": rows}))
    forget_what_this_version_added(parts.folder(parts.content_hashes()[0]))
    events = build_lake(tmp_path, []).read("events")
    assert events.select("session_id", "user_id").unique().rows() == [("s-1", "u-1")]


def test_an_event_of_a_later_export_is_not_late(tmp_path: Path) -> None:
    paths = write_files(tmp_path, {"a.jsonl": [row("e1")], "b.jsonl": [row("e1"), row("e2")]})
    read_files(tmp_path, paths[:1])
    published = Ingestion(READ_AT, published_until=NOON + dt.timedelta(days=2))
    parts, _ = read_files(tmp_path, paths[1:], ingestion=published)
    write_canonical(parts, Lake(tmp_path / "lake"), CanonicalOptions())
    assert Lake(tmp_path / "lake").read("source_files")["late_count"].to_list() == [0, 1]
