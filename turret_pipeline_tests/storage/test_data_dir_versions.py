"""Data folders of earlier versions are upgraded in place and keep ids and edits; those of later ones are rejected."""

import json
import tarfile
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline.storage import data_dir, upgrades
from turret_pipeline.storage.data_dir import FORMAT_VERSION, DataDir
from turret_pipeline_tests.commands import conversations, published_tables, run_job, write_events

FIXTURES = Path(__file__).parent / "fixtures"
OLD_FOLDERS = sorted(FIXTURES.glob("data-folder-*.tar.xz"))
REFUNDS, WAITING = "Refunds, as we call them", "Waiting edit"


def unpack(fixture: Path, folder: Path) -> DataDir:
    with tarfile.open(fixture) as archive:
        archive.extractall(folder, filter="data")
    return DataDir(folder / "data")


@pytest.fixture(params=OLD_FOLDERS, ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> DataDir:
    """A data folder that an earlier version wrote."""
    return unpack(request.param, tmp_path)


def labels(data: DataDir) -> dict[str, str]:
    with data.warehouse.open() as connection:
        return dict(connection.execute("select topic_id, label from marts.topics").fetchall())


def test_there_is_a_fixture_of_every_earlier_version() -> None:
    assert [path.name for path in OLD_FOLDERS] == [f"data-folder-{number}.tar.xz" for number in range(FORMAT_VERSION)]


def test_an_old_folder_is_upgraded_in_place(old: DataDir) -> None:
    before = labels(old)
    old.prepare()
    assert old.read_format_version() == FORMAT_VERSION
    assert labels(old) == before
    assert before["prompt-2"] == REFUNDS
    runs = old.warehouse.runs()
    assert runs is not None
    assert runs["run_number"].to_list() == [1, 2]
    assert runs["published_at"].is_sorted()
    state = old.topic_states.read(runs["topic_state_id"][-1])
    assert state.topic_runs["run_number"].to_list() == [1, 2]
    with old.warehouse.open() as connection:
        in_topics = connection.execute("select run_id, run_number from marts.topic_runs order by run_number").fetchall()
        comments = "select count(*) from duckdb_columns() where schema_name = 'marts' and comment is null"
        assert connection.execute(comments).fetchall() == [(5,)]  # those of the new columns come with the next run
    assert in_topics == list(runs.select("run_id", "run_number").iter_rows())
    assert [edit.edit_id for edit in old.topic_edits.read().all] == ["edit-1", "edit-2", "edit-3"]
    assert old.field_overrides.read_types({}) == {"account": "enum"}
    with old.warehouse.open() as connection:
        steps = "select count(*) from marts.journey_steps where"
        assert connection.execute(f"{steps} sequence_id is null").fetchall() == [(0,)]
        assert connection.execute("select distinct is_uncertain from marts.fields").fetchall() == [(False,)]
        of_users = "starts_with(dimension, 'user:')"
        assert connection.execute(f"{steps} (session_id is null) <> {of_users}").fetchall() == [(0,)]


def test_values_extracted_by_an_earlier_version_are_extracted_again(old: DataDir) -> None:
    assert list(old.parts.glob("*/values-*.parquet"))
    old.prepare()
    assert not list(old.parts.glob("*/values-*.parquet"))
    assert list(old.parts.glob("*/events-*.parquet"))


def test_commands_read_an_old_folder(old: DataDir) -> None:
    listed = CliRunner().invoke(app, ["topics", "list", "--data-dir", str(old.root)])
    assert listed.exit_code == 0, listed.output
    assert REFUNDS in listed.output
    assert WAITING in listed.output  # an edit that waits for the next run


@pytest.mark.slow
def test_a_run_continues_an_old_folder_with_its_ids_and_edits(old: DataDir, tmp_path: Path) -> None:
    before = labels(old)
    run_job(old.root, write_events(tmp_path / "third.jsonl", conversations(36, 6)))
    tables = published_tables(old.root)
    assert tables["events"].height == 72 + 12
    assert set(before) <= set(labels(old))
    assert labels(old)["prompt-1"] == WAITING
    assert labels(old)["prompt-2"] == REFUNDS
    assert "prompt-1" in tables["topics"].filter(tables["topics"]["topic_id"] == "prompt-3")["merged_into_topic_id"]
    assert tables["pipeline_runs"]["run_number"].to_list() == [1, 2, 3]
    fields = dict(tables["fields"].select("field", "is_overridden").iter_rows())
    assert fields["account"]


def test_a_folder_whose_clock_was_ahead_in_a_run_keeps_the_order_of_its_runs(old: DataDir) -> None:
    with duckdb.connect(str(old.warehouse.published)) as connection:
        order = [
            row[0] for row in connection.execute("select run_id from marts.pipeline_runs order by rowid").fetchall()
        ]
        ahead = "set started_at = started_at + interval 10 days, published_at = published_at + interval 10 days"
        connection.execute(f"update marts.pipeline_runs {ahead} where run_id = '{order[0]}'")
    old.prepare()
    runs = old.warehouse.runs()
    assert runs is not None
    assert runs["run_id"].to_list() == order
    assert old.topic_states.read(runs["topic_state_id"][-1]).topic_definitions.height == 3


@pytest.mark.parametrize("missing", ["topic_runs", "journey_steps", "pipeline_runs"])
def test_a_published_file_without_a_table_is_upgraded_as_far_as_it_goes(old: DataDir, missing: str) -> None:
    with duckdb.connect(str(old.warehouse.published)) as connection:
        connection.execute(f"drop table marts.{missing}")
    old.prepare()
    assert old.read_format_version() == FORMAT_VERSION
    if missing != "pipeline_runs":
        runs = old.warehouse.runs()
        assert runs is not None
        assert runs["run_number"].to_list() == [1, 2]


def test_a_backup_from_before_the_upgrade_is_continued(old: DataDir) -> None:
    backup = old.warehouse.published.read_bytes()
    old.prepare()
    old.warehouse.published.unlink()
    old.warehouse.published.write_bytes(backup)
    last = old.warehouse.last_run()
    assert last is not None
    assert last["run_number"] == 2
    assert old.topic_states.read(last["topic_state_id"]).topic_runs["run_number"].to_list() == [1, 2]


def test_a_killed_upgrade_is_repeated(old: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = upgrades.UPGRADES

    def kill(root: Path) -> None:
        steps[-1](root)
        raise KeyboardInterrupt

    monkeypatch.setattr(data_dir, "UPGRADES", (*steps[:-1], kill))
    with pytest.raises(KeyboardInterrupt):
        old.prepare()
    assert old.read_format_version() == FORMAT_VERSION - 1
    monkeypatch.undo()
    old.prepare()
    assert old.read_format_version() == FORMAT_VERSION
    runs = old.warehouse.runs()
    assert runs is not None
    assert runs["run_number"].to_list() == [1, 2]


def test_a_folder_of_a_newer_version_is_rejected_with_the_remedy(tmp_path: Path) -> None:
    newer = {"format_version": FORMAT_VERSION + 1, "package_version": "9.9.0"}
    (tmp_path / "format.json").write_text(json.dumps(newer))
    remedy = "Install turret-pipeline 9.9.0 or later, or choose another folder with --data-dir."
    events = str(write_events(tmp_path / "in.jsonl", conversations(0, 3)))
    for arguments in (["topics", "list"], ["journeys", "overview"], ["rejects"], ["run", "--input", events]):
        rejected = CliRunner().invoke(app, [*arguments, "--data-dir", str(tmp_path)])
        assert isinstance(rejected.exception, TurretError)
        assert str(rejected.exception).endswith(remedy)


def test_a_damaged_version_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text("{")
    with pytest.raises(TurretError, match=r"format\.json: restore it from a backup of the data folder, or, if"):
        DataDir(tmp_path).prepare()


def test_a_new_folder_gets_the_present_version(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    with data.lock():
        assert data.read_format_version() == FORMAT_VERSION
    assert json.loads((data.root / "format.json").read_text())["format_version"] == FORMAT_VERSION


def test_a_second_run_waits_and_is_then_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_dir, "LOCK_SECONDS", 0.1)
    with (
        FileLock(tmp_path / ".run.lock"),
        pytest.raises(TurretError, match=r"^Another run is using the data folder .*: wait for it, or choose"),
        DataDir(tmp_path).lock(),
    ):
        pass
