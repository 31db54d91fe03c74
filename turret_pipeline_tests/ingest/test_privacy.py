"""Files with personal data, and a lake without them."""

import json
from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import HIDDEN, Privacy
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.scrubbing import KINDS
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import FILE_TIME, read_files, row, write_files

ROWS = [
    row("e1", metadata={"prompt": "write to jo@example.com or call +41 44 668 18 00", "n": 1}),
    row("e2", metadata={"prompt": "card 4111 1111 1111 1111", "nested": {"notes": ["from 192.168.7.23", "fine"]}}),
    row("e3", metadata={"order_id": "12345678901", "id": "3f2b8c1e-9a4d-4c7b-8e21-5d6f7a8b9c0d", "plan": "pro"}),
    '{"name": "broken", "prompt": "jo@example.com"',
    row("e5", timestamp="jo@example.com"),
    {"jo@example.com": 1},
]
SECRETS = ("jo@example.com", "668 18 00", "4111 1111", "192.168.7.23")


def build_lake(root: Path, privacy: Privacy) -> Lake:
    parts, _ = read_files(
        root, write_files(root / "landing", {"a.jsonl": ROWS}), ParseOptions(FILE_TIME, privacy=privacy)
    )
    lake = Lake(root / "lake")
    write_canonical(parts, lake, CanonicalOptions())
    sum(extract_part_values(parts))
    write_values(parts, lake, 2000)
    return lake


def all_content(lake: Lake) -> str:
    """Content of all Parquet files of the lake."""
    return "".join(pl.read_parquet(file).write_json() for file in sorted(lake.root.rglob("*.parquet")))


def test_personal_data_is_nowhere_in_the_lake(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, Privacy(frozenset(KINDS)))
    content = all_content(lake)
    assert [secret for secret in SECRETS if secret in content] == []
    assert "u1" in content
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
    counts = build_lake(tmp_path, Privacy(frozenset(KINDS))).read("scrubbed_values")
    assert counts.select("field", "kind", "value_count").rows() == [
        ("nested.notes", "ip", 1),
        ("prompt", "card", 1),
        ("prompt", "email", 1),
        ("prompt", "phone", 1),
    ]


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({"ip"})])
def test_each_kind_can_be_left_as_it_is(tmp_path: Path, kinds: frozenset[str]) -> None:
    lake = build_lake(tmp_path, Privacy(kinds))
    content = all_content(lake)
    assert [secret in content for secret in SECRETS] == [True, True, True, "ip" not in kinds]
    assert lake.read("scrubbed_values").height == len(kinds)


def test_user_ids_are_hashed_with_a_salt_and_stay_apart(tmp_path: Path) -> None:
    rows = [
        row("e1", user_id="ada-1815"),
        row("e2", user_id="ada-1815"),
        row("e3", user_id="bob-1912"),
        row("e4", user_id=None),
        "bob-1912{",
    ]
    paths = write_files(tmp_path / "landing", {"a.jsonl": rows})
    reading = ParseOptions(FILE_TIME, privacy=Privacy(salt="a long salt"))
    parts, _ = read_files(tmp_path, paths, reading)
    lake = Lake(tmp_path / "lake")
    write_canonical(parts, lake, CanonicalOptions())
    users = lake.read("events")["user_id"].to_list()
    assert users[0] == users[1] != users[2]
    assert users[3] is None
    assert lake.read("rejected_events").select("reason", "raw_text").rows() == [(f"invalid json {HIDDEN}", HIDDEN)]
    content = all_content(lake) + json.dumps(users)
    assert "ada-1815" not in content
    assert "bob-1912" not in content
    assert "a long salt" not in repr(reading)


def test_content_ids_depend_on_the_salt(tmp_path: Path) -> None:
    found = set()
    for number, salt in enumerate([None, "a long salt", "another salt"]):
        root = tmp_path / str(number)
        reading = ParseOptions(privacy=Privacy(salt=salt))
        parts, _ = read_files(root, write_files(root / "landing", {"a.jsonl": [row(None), row(None, x=1)]}), reading)
        found |= set(pl.read_parquet(parts.part_files("events")[0])["content_id"])
    assert len(found) == 6


def test_content_ids_do_not_depend_on_scrubbing(tmp_path: Path) -> None:
    rows = [row(None, metadata={"prompt": "write to jo@example.com"})]
    found = set()
    for number, kinds in enumerate([frozenset(), frozenset(KINDS)]):
        root = tmp_path / str(number)
        parts, _ = read_files(
            root, write_files(root / "landing", {"a.jsonl": rows}), ParseOptions(privacy=Privacy(kinds))
        )
        found |= set(pl.read_parquet(parts.part_files("events")[0])["content_id"])
    assert len(found) == 1
