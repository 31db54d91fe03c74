"""Files with what identifies people in; a lake without it out."""

import json
from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import HIDDEN, Privacy
from turret_pipeline.ingest.canonical import Rules, write_canonical
from turret_pipeline.ingest.values import take_values, write_values
from turret_pipeline.scrubbing import KINDS
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import FILE_TIME, read, row, written

ROWS = [
    row("e1", metadata={"prompt": "write to jo@example.com or call +41 44 668 18 00", "n": 1}),
    row("e2", metadata={"prompt": "card 4111 1111 1111 1111", "nested": {"notes": ["from 192.168.7.23", "fine"]}}),
    row("e3", metadata={"order_id": "12345678901", "id": "3f2b8c1e-9a4d-4c7b-8e21-5d6f7a8b9c0d", "plan": "pro"}),
    '{"name": "broken", "prompt": "jo@example.com"',
    row("e5", timestamp="jo@example.com"),
    {"jo@example.com": 1},
]
SECRETS = ("jo@example.com", "668 18 00", "4111 1111", "192.168.7.23")


def lake_of(root: Path, privacy: Privacy) -> Lake:
    sources, _ = read(root, written(root / "landing", {"a.jsonl": ROWS}), ParseOptions(FILE_TIME, privacy=privacy))
    lake = Lake(root / "lake")
    write_canonical(sources, lake, Rules())
    sum(take_values(sources))
    write_values(sources, lake)
    return lake


def everything(lake: Lake) -> str:
    """All that every Parquet file of the lake says."""
    return "".join(pl.read_parquet(file).write_json() for file in sorted(lake.root.rglob("*.parquet")))


def test_what_identifies_a_person_is_nowhere_in_the_lake(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, Privacy(frozenset(KINDS)))
    said = everything(lake)
    assert [secret for secret in SECRETS if secret in said] == []
    assert "u1" in said
    values = lake.read("event_values")
    prompts = dict(values.filter(pl.col("field") == "prompt").select("event_id", "value").iter_rows())
    assert prompts == {"e1": "write to <EMAIL> or call <PHONE>", "e2": "card <CARD>"}
    assert values.filter(pl.col("event_id") == "e3").select("field", "value").rows() == [
        ("id", "3f2b8c1e-9a4d-4c7b-8e21-5d6f7a8b9c0d"),
        ("order_id", "12345678901"),
        ("plan", "pro"),
    ]
    assert "<EMAIL>" in lake.read("rejected_events")["raw_text"][0]


def test_marks_are_counted_by_field(tmp_path: Path) -> None:
    counts = lake_of(tmp_path, Privacy(frozenset(KINDS))).read("scrubbed_values")
    assert counts.select("field", "kind", "value_count").rows() == [
        ("nested.notes", "ip", 1),
        ("prompt", "card", 1),
        ("prompt", "email", 1),
        ("prompt", "phone", 1),
    ]


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({"ip"})])
def test_each_kind_can_be_left_as_it_is(tmp_path: Path, kinds: frozenset[str]) -> None:
    lake = lake_of(tmp_path, Privacy(kinds))
    said = everything(lake)
    assert [secret in said for secret in SECRETS] == [True, True, True, "ip" not in kinds]
    assert lake.read("scrubbed_values").height == len(kinds)


def test_user_ids_are_hashed_with_a_salt_and_stay_apart(tmp_path: Path) -> None:
    rows = [
        row("e1", user_id="ada-1815"),
        row("e2", user_id="ada-1815"),
        row("e3", user_id="bob-1912"),
        row("e4", user_id=None),
        "bob-1912{",
    ]
    paths = written(tmp_path / "landing", {"a.jsonl": rows})
    reading = ParseOptions(FILE_TIME, privacy=Privacy(salt="a long salt"))
    sources, _ = read(tmp_path, paths, reading)
    lake = Lake(tmp_path / "lake")
    write_canonical(sources, lake, Rules())
    users = lake.read("events")["user_id"].to_list()
    assert users[0] == users[1] != users[2]
    assert users[3] is None
    assert lake.read("rejected_events").select("reason", "raw_text").rows() == [(f"invalid json {HIDDEN}", HIDDEN)]
    said = everything(lake) + json.dumps(users)
    assert "ada-1815" not in said
    assert "bob-1912" not in said
    assert "a long salt" not in repr(reading)


def test_nobody_finds_who_it_was_by_guessing_ids_of_content(tmp_path: Path) -> None:
    found = set()
    for number, salt in enumerate([None, "a long salt", "another salt"]):
        root = tmp_path / str(number)
        reading = ParseOptions(privacy=Privacy(salt=salt))
        sources, _ = read(root, written(root / "landing", {"a.jsonl": [row(None), row(None, x=1)]}), reading)
        found |= set(pl.read_parquet(sources.part_files("events")[0])["content_id"])
    assert len(found) == 6


def test_ids_of_content_do_not_depend_on_what_is_hidden(tmp_path: Path) -> None:
    rows = [row(None, metadata={"prompt": "write to jo@example.com"})]
    found = set()
    for number, kinds in enumerate([frozenset(), frozenset(KINDS)]):
        root = tmp_path / str(number)
        sources, _ = read(root, written(root / "landing", {"a.jsonl": rows}), ParseOptions(privacy=Privacy(kinds)))
        found |= set(pl.read_parquet(sources.part_files("events")[0])["content_id"])
    assert len(found) == 1
