"""Erasure from parts and landing files, without a run."""

import datetime as dt
import gzip
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from turret_pipeline.erasure.erase import add_tombstones, erase
from turret_pipeline.erasure.request import Request, list_values
from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.benchmarks.erasure_kills import kill_erasures
from turret_pipeline_tests.commands import write_events
from turret_pipeline_tests.erasure.byte_search import find_values
from turret_pipeline_tests.erasure.folders import event, forget, list_events, read, settings_of, sums, write_lines


def test_a_user_goes_with_the_events_of_their_sessions_and_with_repeated_rows(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    rows = [event("e1", "ana", "s1"), event("e2", None, "s1"), event("e3", "bob", "s2"), event("e1", None)]
    write_events(tmp_path / "landing" / "a.jsonl", rows)
    forget(settings, ["ana"])
    assert list_events(settings) == ["e3"]
    assert sums(settings) == (4, 1, 0, 0, 3)
    assert (tmp_path / "landing" / "a.jsonl").read_text().splitlines() == ["", "", json.dumps(rows[2]), ""]


def test_an_old_dump_brings_nothing_back_not_even_events_without_a_user(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    rows = [event("e1", "ana", "s1"), event("e2", None, "s1"), event("e3", "bob", "s2")]
    write_events(tmp_path / "landing" / "a.jsonl", rows)
    forget(settings, ["ana"])
    write_events(tmp_path / "landing" / "b.jsonl", [*rows, event("e4", "ana", "s4"), event("e5", "cleo", "s5")])
    data = read(settings)
    erase(data, settings, "later")
    assert list_events(settings) == ["e3", "e5"]
    assert sums(settings) == (8, 2, 1, 0, 5)
    assert find_values(tmp_path / "landing", ["ana"]) == []


def test_an_id_that_a_later_file_joins_to_the_person_is_erased_too(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_events(tmp_path / "landing" / "a.jsonl", [event("e1", "ana")])
    forget(settings, ["ana"])
    time = {"timestamp": "2026-03-02T10:00:00Z"}
    calls = [
        {"type": "track", "event": "seen", "messageId": "c1", "anonymousId": "visitor", "properties": {}, **time},
        {"type": "identify", "messageId": "c2", "anonymousId": "visitor", "userId": "ana", "traits": {}, **time},
        {"type": "track", "event": "seen", "messageId": "c3", "userId": "bob", "properties": {}, **time},
    ]
    write_events(tmp_path / "landing" / "calls.jsonl", calls)
    erase(read(settings), settings, "later")
    assert list_events(settings) == ["c3"]
    assert find_values(tmp_path, ["ana", "visitor"]) == []


def test_a_shared_device_stays_with_its_other_user(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)

    def call(kind: str, minute: int, **details: object) -> dict[str, object]:
        time = f"2026-03-02T10:{minute:02}:00Z"
        return {"type": kind, "messageId": f"c{minute}", "timestamp": time, "properties": {}, "traits": {}, **details}

    calls = [
        call("track", 1, event="seen", anonymousId="tablet"),
        call("identify", 2, anonymousId="tablet", userId="ana"),
        call("track", 3, event="seen", anonymousId="tablet"),
        call("identify", 4, anonymousId="tablet", userId="bob"),
    ]
    write_events(tmp_path / "landing" / "calls.jsonl", calls)
    forget(settings, ["ana"])
    assert list_events(settings) == ["c3"]
    write_events(tmp_path / "landing" / "again.jsonl", calls)
    erase(read(settings), settings, "later")
    assert list_events(settings) == ["c3"]


def test_a_session_a_file_and_old_data_can_be_erased(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    rows = [event("e1", "ana", "s1"), event("e2", "bob", "s2", day=5), event("e3", "bob", "s3", day=9)]
    write_events(tmp_path / "landing" / "a.jsonl", rows)
    other = write_events(tmp_path / "landing" / "b.jsonl", [event("e4", "cleo", "s4", day=9)])
    data = forget(settings, sessions=["s2"])
    assert list_events(settings) == ["e1", "e3", "e4"]
    forget(settings, before=dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    assert list_events(settings) == ["e3", "e4"]
    forget(settings, files=[PartStore(data.parts).content_hash(other)])
    assert list_events(settings) == ["e3"]
    assert not other.exists()
    write_events(tmp_path / "landing" / "again.jsonl", [*rows, event("e4", "cleo", "s4", day=9)])
    erase(read(settings), settings, "later")
    assert list_events(settings) == ["e3", "e4"]  # e4 came in another file


def test_rejected_rows_that_name_the_person_go_and_others_stay(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    bad = ['{"user_id": "ana", "oops', '{"user_id": "bob", "oops', "[1, 2", '{"user_id": "anabel", "oops']
    write_lines(tmp_path / "landing" / "a.jsonl", [*bad, event("e1", "ana")])
    forget(settings, ["ana"])
    assert list_events(settings) == []
    assert sums(settings) == (5, 0, 0, 3, 2)
    assert (tmp_path / "landing" / "a.jsonl").read_text().split("\n") == ["", *bad[1:], "", ""]


def test_raw_ids_are_found_where_ids_are_hashed_and_rejected_rows_hidden(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, user_id_salt=SecretStr("pepper-and-salt"))
    lines: list[str | dict[str, object]] = ['{"user_id": "ana", "oops', event("e1", "ana"), event("e2", "bob")]
    write_lines(tmp_path / "landing" / "a.jsonl", lines)
    forget(settings, ["ana"])
    assert list_events(settings) == ["e2"]
    assert sums(settings) == (3, 1, 0, 0, 2)
    assert find_values(tmp_path / "landing", ["ana"]) == []


@pytest.mark.parametrize("packed", [False, True])
def test_other_formats_become_json_lines_with_the_same_rows(tmp_path: Path, packed: bool) -> None:
    settings = settings_of(tmp_path)
    landing = tmp_path / "landing"
    landing.mkdir()
    text = 'event_id,name,user_id,timestamp,prompt\ne1,seen,ana,2026-03-01,hi\ne2,seen,bob,2026-03-01,"two\nlines"\n'
    name = "table.csv.gz" if packed else "table.csv"
    (landing / name).write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    pl.DataFrame([event("p1", "ana"), event("p2", "bob")]).write_parquet(landing / "p.parquet")
    (landing / "d.json").write_text(json.dumps([event("d1", "ana"), event("d2", "bob")], indent=2))
    forget(settings, ["ana"])
    assert list_events(settings) == ["d2", "e2", "p2"]
    assert find_values(tmp_path, ["ana"]) == []
    again = settings_of(tmp_path / "again")
    shutil.copytree(landing, tmp_path / "again" / "landing")
    read(again)
    assert list_events(again) == ["d2", "e2", "p2"]
    assert sums(again) == (3, 3, 0, 0, 0)


def test_retention_erases_what_is_older_and_nothing_else(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, retention_days=30)
    recent = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    rows = [event("old", "ana"), {**event("new", "ana"), "timestamp": recent.isoformat()}]
    write_lines(tmp_path / "landing" / "a.jsonl", rows)
    erase(read(settings), settings, "run")
    assert list_events(settings) == ["new"]
    assert DataDir(tmp_path).tombstones.list_erasures()[0]["requests"][0]["kind"] == "retention"


def test_nothing_to_erase_changes_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    file = write_events(tmp_path / "landing" / "a.jsonl", [event("e1", "bob")])
    before = file.read_bytes(), file.stat().st_ino
    forget(settings, ["nobody"])
    assert list_events(settings) == ["e1"]
    assert (file.read_bytes(), file.stat().st_ino) == before


def test_a_kill_at_any_step_loses_nothing_and_the_next_erasure_ends_the_same(tmp_path: Path) -> None:
    """The benchmark erasure_kills tries every step."""
    assert kill_erasures(tmp_path, step=11) > 60


def test_who_was_erased_before_ids_were_hashed_stays_erased(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    rows = [event("e1", "ana"), event("e2", "bob")]
    write_events(tmp_path / "landing" / "a.jsonl", rows)
    forget(settings, ["ana"])
    salted = settings_of(tmp_path, user_id_salt=SecretStr("pepper-and-salt"))
    write_events(tmp_path / "landing" / "b.jsonl", [*rows, event("e3", "ana"), event("e4", "cleo")])
    erase(read(salted), salted, "later")
    assert list_events(salted) == ["e2", "e4"]
    assert find_values(tmp_path / "landing", ["ana"]) == []


def test_a_file_that_is_gone_can_be_erased_if_a_stricter_setting_asks_for_it(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in" / "a.jsonl", [event("event-1", "ana"), event("event-2", "bob")])
    write_lines(tmp_path / "in" / "b.jsonl", [event("event-3", "cleo")])
    weak = settings_of(tmp_path / "data", inputs=[str(tmp_path / "in")])
    read(weak)
    source.unlink()
    strict = settings_of(tmp_path / "data", inputs=[str(tmp_path / "in")], user_id_salt="a long salt")
    with pytest.raises(TurretError, match="turret forget --file"):
        read(strict)
    data = DataDir(strict.data_dir)
    values = list_values(data, Request(files=(str(source),)))
    add_tombstones(data.tombstones, strict, values, None)
    erase(read(strict), strict, "run")
    assert list_events(strict) == ["event-3"]
    assert find_values(tmp_path / "data", ["ana", "bob", "cleo"]) == []
