"""Files of every format, read into the lake."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.events.formats import FORMATS
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.new_files import read_new_files
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.benchmarks.formats import vary_row
from turret_pipeline_tests.ingest.imports import import_rows, row_counts, write_files

TRACE, OBSERVATION = (dict(FORMATS[name].example) for name in ("langfuse_trace", "langfuse_observation"))


def event_texts(lake: Lake) -> list[tuple[object, ...]]:
    """Name, session, user and text of the events."""
    values = lake.read("event_values").filter(pl.col("field").is_in(["prompt", "generation"]))
    events = lake.read("events").join(values, on="event_id", how="left", maintain_order="left")
    return events.select("event_name", "session_id", "user_id", "value").rows()


def read_with(folder: Path, **settings: object) -> Lake:
    """The lake of a landing folder with these settings."""
    data = DataDir(folder)
    read_new_files(load_settings(data_dir=folder, **settings), data, SilentProgress(), lambda _: None)
    parts = PartStore(data.parts)
    write_canonical(parts, data.lake, CanonicalOptions())
    sum(extract_part_values(parts))
    write_values(parts, data.lake, 2000)
    return data.lake


def write_csv(folder: Path, rows: list[Mapping[str, object]]) -> None:
    folder.mkdir()
    texts = [
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in row.items()} for row in rows
    ]
    with (folder / "a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(texts[0]))
        writer.writeheader()
        writer.writerows(texts)


def test_a_file_may_hold_rows_of_every_format(tmp_path: Path) -> None:
    rows = [vary_row(table.example, 0, f"{name}.") for name, table in FORMATS.items()]  # with ids of their own
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert row_counts(lake) == [("a.jsonl", len(FORMATS), len(FORMATS), 0, 0)]
    assert set(lake.read("events")["source_format"]) == set(FORMATS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["posthog", "langfuse_trace", "langfuse_observation", "openai_chat", "sharegpt"])
def test_objects_may_be_json_text_in_csv(tmp_path: Path, name: str) -> None:
    example = FORMATS[name].example
    write_csv(tmp_path / "landing", [example])
    found = read_with(tmp_path)
    assert found.read("rejected_events").is_empty()
    assert event_texts(found) == event_texts(import_rows(tmp_path / "plain", {"a.jsonl": [example]}))


@pytest.mark.parametrize("files", [["a", "b"], ["b", "a"]])
def test_an_exchange_in_a_trace_and_its_generation_counts_once(tmp_path: Path, files: list[str]) -> None:
    rows = dict(zip((f"{name}.jsonl" for name in files), ([TRACE], [OBSERVATION]), strict=True))
    lake = import_rows(tmp_path, rows)
    assert event_texts(lake) == [  # as in the trace, which has the user
        ("User prompt", "s-1", "u-1", "How do I reset my password?"),
        ("AI generation", "s-1", "u-1", "Open Settings and choose Reset."),
    ]


def test_a_chat_exported_again_adds_only_new_messages(tmp_path: Path) -> None:
    chat = dict(FORMATS["openai_chat"].example)
    grown = chat | {"messages": [*chat["messages"], {"role": "user", "content": "Thanks"}]}
    lake = import_rows(tmp_path, {"a.jsonl": [chat], "b.jsonl": [grown]})
    assert [text for *_, text in event_texts(lake)] == [
        "How do I reset my password?",
        "Open Settings and choose Reset.",
        "Thanks",
    ]


def test_files_are_read_by_the_format_of_the_settings(tmp_path: Path) -> None:
    write_files(tmp_path / "landing", {"a.jsonl": [FORMATS["posthog"].example, FORMATS["turret"].example]})
    lake = read_with(tmp_path, input_format="posthog")
    assert set(lake.read("events")["source_format"]) == {"posthog"}
    assert lake.read("rejected_events")["reason_code"].to_list() == ["not_of_format"]


def test_times_without_a_zone_are_read_in_the_zone_of_the_settings(tmp_path: Path) -> None:
    local, zoned = "2024-05-01T14:00:00", "2024-05-01T12:00:00Z"
    message = {"role": "user", "content": "Hi", "created_at": local}
    rows = [
        {"event_id": "plain", "name": "a", "timestamp": local},
        {"event_id": "day", "name": "a", "timestamp": "2024-05-01"},
        {"event_id": "zoned", "name": "a", "timestamp": zoned},
        {"user_id": "u", "prompt": "p", "generation": "g", "timestamp": local},
        {"id": "chat", "messages": [message]},
        {**OBSERVATION, "startTime": local, "endTime": None},
    ]
    write_files(tmp_path / "landing", {"a.jsonl": rows})
    events = read_with(tmp_path, input_time_zone="Europe/Paris").read("events")
    found = events.select("source_format", pl.col("event_at").dt.strftime("%d %H:%M"), "is_zone_assumed").unique()
    assert sorted(found.rows()) == [
        ("langfuse_observation", "01 14:00", False),
        ("openai_chat", "01 12:00", True),
        ("trubrics_llm", "01 12:00", True),
        ("turret", "01 12:00", False),
        ("turret", "01 12:00", True),
        ("turret", "30 22:00", True),
    ]


def test_a_spreadsheet_is_rejected_and_the_files_beside_it_are_read(tmp_path: Path) -> None:
    write_files(tmp_path / "landing", {"a.jsonl": [FORMATS["turret"].example], "notes.txt": ["not events"]})
    (tmp_path / "landing" / "book.xlsx").write_bytes(b"PK\x03\x04")
    lake = read_with(tmp_path)
    assert row_counts(lake) == [("a.jsonl", 1, 1, 0, 0), ("book.xlsx", 1, 0, 0, 1)]
    assert lake.read("rejected_events")["reason"].to_list() == [
        "book.xlsx is a spreadsheet: save the sheet as CSV UTF-8, and read that file."
    ]
    said: list[str] = []
    settings = load_settings(data_dir=tmp_path)
    read_new_files(settings, DataDir(tmp_path), SilentProgress(), said.append)
    assert said == [
        "0 new landing files, 2 known.",
        "Skipped 1 file with endings that are not read: .txt (1).",
    ]


def test_files_are_read_by_the_mapping_of_the_settings(tmp_path: Path) -> None:
    rows = [{"action": "Clicked", "ts": 1714564800, "who.id": 7}, {"act": "Clicked"}]
    write_files(tmp_path / "landing", {"a.jsonl": rows})
    lake = read_with(tmp_path, mapping={"event_name": "action", "event_at": "ts", "user_id": "who.id"})
    assert lake.read("events").select("event_name", "user_id", "source_format").rows() == [("Clicked", "7", "mapping")]
    assert lake.read("event_values").is_empty()
    assert lake.read("rejected_events")["reason_code"].to_list() == ["not_of_format"]
