"""Lists and erasures of two machines that share their files: both changes are kept."""

import datetime as dt
import json
from pathlib import Path

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.part_notes import Replays
from turret_pipeline.storage.remote_data import RemoteData
from turret_pipeline.storage.tombstones import USER
from turret_pipeline_tests.storage.machines import machine, make_pair, read, write


@pytest.fixture
def pair(tmp_path: Path) -> tuple[RemoteData, RemoteData]:
    """Two machines that have the same files, of one commit."""
    return make_pair(tmp_path)


def test_edits_of_two_machines_are_merged(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    for remote, label in ((one, "Refunds"), (two, "Returns")):
        remote.data.topic_edits.add("rename", "prompt-1", "2026-01-01", label=label)
    one.commit("run2")
    two.pull()
    assert [(edit.edit_id, edit.label) for edit in two.data.topic_edits.read().all] == [
        ("edit-1", "Refunds"),
        ("edit-2", "Returns"),
    ]
    two.commit("run3")
    two.data.topic_edits.undo("edit-1")
    one.pull()
    one.data.topic_edits.add("rename", "prompt-2", "2026-01-02", label="Orders")
    one.commit("run4")
    two.pull()
    assert [edit.edit_id for edit in two.data.topic_edits.read().all] == ["edit-2", "edit-3"]


def test_lists_of_two_machines_are_merged_by_their_keys(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    for remote, name, time_ in ((one, "enum", "2026-01-02"), (two, "text", "2026-01-01")):
        row = {"field": "plan", "type": name, "set_at": time_}
        write(remote, {"field_types.jsonl": json.dumps(row) + "\n"})
        Replays(remote.data.parts / "replays.jsonl").record(name, [1], _time(2026))
        with (remote.data.parts / "seen.jsonl").open("a") as file:
            file.write(f'\n["/in/{name} 1 1", "{name}"]')
    one.commit("run2")
    two.pull()
    assert two.data.field_overrides.read()["plan"].type == "enum"
    replays = Replays(two.data.parts / "replays.jsonl")
    assert sorted(replays.fixed_lines()["content_sha256"]) == ["enum", "text"]
    lines = (two.data.parts / "seen.jsonl").read_text().splitlines()
    assert [json.loads(line)[1] for line in lines] == ["aa", "enum", "text"]


def _time(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC)


def test_a_list_that_cannot_be_merged_is_named(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    for remote, line in ((one, '{"field": "a"}'), (two, "no JSON")):
        write(remote, {"field_types.jsonl": line})
    one.commit("run2")
    with pytest.raises(TurretError, match=r"field_types.jsonl was changed here and at .* cannot be merged"):
        two.pull()
    assert (two.data.root / "field_types.jsonl").read_text() == "no JSON"


def test_erasures_of_one_machine_are_requested_on_the_other(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    one.data.tombstones.add(USER, ["u1"])
    one.commit("run2")
    two.pull()
    assert two.data.tombstones.select(USER, ["u1", "u2"]) == ["u1"]
    assert [row["kind"] for row in two.data.tombstones.pending()] == ["another machine"]
    two.data.tombstones.finish()
    two.data.tombstones.add(USER, ["u2"])
    one.data.tombstones.add(USER, ["u3"])
    one.commit("run3")
    two.pull()
    assert two.data.tombstones.select(USER, ["u1", "u2", "u3"]) == ["u1", "u2", "u3"]
    assert two.data.tombstones.pending()


def test_an_empty_folder_has_no_erasure_to_carry_out(pair: tuple[RemoteData, RemoteData], tmp_path: Path) -> None:
    one, _ = pair
    one.data.tombstones.add(USER, ["u1"])
    one.commit("run2")
    third = machine(tmp_path / "third", one.store.url)
    third.pull()
    assert third.data.tombstones.select(USER, ["u1"]) == ["u1"]
    assert third.data.tombstones.pending() == []


def test_erasures_with_another_key_are_rejected(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    for remote in pair:
        remote.data.tombstones.add(USER, ["u1"])
    one.commit("run2")
    before = read(two)
    with pytest.raises(TurretError, match="have different keys"):
        two.pull()
    assert read(two) == before
