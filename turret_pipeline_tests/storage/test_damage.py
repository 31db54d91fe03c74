"""Damage of stored files is found, and repaired where another copy or the input allows it."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from turret_pipeline.errors import FaultError
from turret_pipeline.faults import describe_fault
from turret_pipeline.orchestration.dagster_home import DAGSTER_YAML, create_dagster_home, find_damaged_history
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.damage import find_damage, repair_all
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.benchmarks.damage import DAMAGES, empty, flip_bits, list_kinds, truncate
from turret_pipeline_tests.commands import published_tables, turret

OUTPUTS = ("figures/", "quality/", "report/", "landing/", "dbt/", "lake/topic_state.json", "lake/.checksums.json")
"""Files that each run writes again before it reads them, checks when it reads them, or that are input."""

UNCHECKED = ("warehouse/generations", "dagster/", ".run.lock", "format.json", "checksums.json")


@pytest.fixture
def data(small_job: Path, tmp_path: Path) -> DataDir:
    """A copy of a finished run."""
    return DataDir(Path(shutil.copytree(small_job, tmp_path / "data")))


def test_a_whole_folder_has_no_damage(data: DataDir) -> None:
    assert list(find_damage(data, is_thorough=True)) == []
    done = turret("doctor", "--data-dir", data.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing is damaged in" in done.stdout


def test_damage_of_every_kind_of_file_is_found_and_repaired(data: DataDir, tmp_path: Path) -> None:
    """Each kind in another way; what cannot be repaired stays with a sentence that says so."""
    kinds = {
        kind: name
        for kind, name in list_kinds(data.root).items()
        if not kind.startswith((*OUTPUTS, *UNCHECKED, "lake/parts")) and not kind.endswith(UNCHECKED)
    }
    assert len(kinds) >= 8, kinds
    for number, (kind, name) in enumerate(kinds.items()):
        copy = DataDir(Path(shutil.copytree(data.root, tmp_path / f"copy-{number}")))
        harm = DAMAGES[number % 4]
        harm(copy.root / name)
        found = list(find_damage(copy, is_thorough=True))
        assert found, (kind, harm.__name__)
        assert all(finding.sentence().endswith(".") for finding in found)
        repair_all(found, SilentProgress().say)
        assert list(find_damage(copy, is_thorough=True)) == [], (kind, harm.__name__)


def test_a_published_file_that_is_gone_comes_back_from_its_copy(data: DataDir) -> None:
    before = published_tables(data.root)
    data.warehouse.published.unlink()
    warnings: list[str] = []
    assert repair_all(find_damage(data), warnings.append) == 1
    assert "turret.duckdb is missing: it is restored from its copy generations/" in warnings[0]
    assert {name: frame.rows() for name, frame in published_tables(data.root).items()} == {
        name: frame.rows() for name, frame in before.items()
    }


def test_a_topic_state_is_made_again_from_the_lake_and_only_if_that_is_the_same(data: DataDir) -> None:
    last = data.warehouse.last_run()
    assert last is not None
    before = data.topic_states.read(last["topic_state_id"])
    shutil.rmtree(data.root / "state")
    assert repair_all(find_damage(data), SilentProgress().say) == 1
    assert data.topic_states.read(last["topic_state_id"]).topic_definitions.equals(before.topic_definitions)
    assert data.topic_states.read_applied_edits(last["topic_state_id"]) == []
    truncate(data.topic_states.root / last["topic_state_id"] / "text_topics.parquet")
    truncate(data.lake.path("topic_definitions"))
    with pytest.raises(FaultError, match=r"incomplete or damaged \(text_topics.parquet\): restore this folder"):
        repair_all(find_damage(data), SilentProgress().say)
    with pytest.raises(FaultError, match=r"is damaged .*text_topics.parquet.*turret doctor --repair"):
        data.topic_states.read(last["topic_state_id"])


def test_a_damaged_list_of_languages_is_not_believed(data: DataDir) -> None:
    assert data.lake.read_previous("texts").height
    flip_bits(data.lake.path("texts"))
    assert data.lake.read_previous("texts").is_empty()


def test_a_folder_in_place_of_a_file_is_removed_only_if_it_is_empty(data: DataDir) -> None:
    for name in ("topic_edits.jsonl", "lake/parts/seen.jsonl", "figures/topic_map.png"):
        (data.root / name).unlink(missing_ok=True)
        (data.root / name).mkdir()
    assert repair_all(find_damage(data), SilentProgress().say) == 3
    (data.root / "topic_edits.jsonl").mkdir()
    (data.root / "topic_edits.jsonl" / "mine").write_text("kept")
    with pytest.raises(FaultError, match=r"topic_edits.jsonl is a folder in place of a file: move it elsewhere"):
        repair_all(find_damage(data), SilentProgress().say)


@pytest.mark.parametrize("harm", [flip_bits, truncate, empty])
def test_a_damaged_history_begins_anew(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    home = create_dagster_home(DataDir(tmp_path))
    (home / "history").mkdir()
    with sqlite3.connect(home / "history" / "runs.db") as connection:
        connection.execute("create table runs (body text)")
        connection.executemany("insert into runs values (?)", [("x" * 500,)] * 100)
    connection.close()
    assert list(find_damaged_history(home)) == []
    harm(home / "history" / "runs.db")
    if harm is empty:  # SQLite takes an empty file as a new database
        return
    if harm is flip_bits:
        (home / "history" / "runs.db").write_bytes(b"\0" * 4096)
    warnings: list[str] = []
    repair_all(find_damaged_history(home), warnings.append)
    assert "runs.db is damaged: the folder history of Dagster's home is removed" in warnings[0]
    assert not (home / "history").exists()


def test_settings_of_dagster_that_are_no_yaml_are_written_again(tmp_path: Path) -> None:
    home = create_dagster_home(DataDir(tmp_path))
    (home / "dagster.yaml").write_bytes(b"\xfftelemetry: [")
    repair_all(find_damaged_history(home), SilentProgress().say)
    assert (create_dagster_home(DataDir(tmp_path)) / "dagster.yaml").read_text() == DAGSTER_YAML


def test_doctor_repairs_on_demand_and_names_what_it_cannot_repair(data: DataDir) -> None:
    vectors = next(iter(sorted(data.lake.root.glob("embeddings/**/*.parquet"))))
    truncate(vectors)
    (data.root / "topic_edits.jsonl").write_bytes(b'{"edit_id": \xff\n')
    done = turret("doctor", "--data-dir", data.root)
    assert done.returncode == 1
    assert f"can be repaired: {vectors} is damaged: it is removed, and its texts are embedded again." in unwrap(
        done.stdout
    )
    assert "topic_edits.jsonl cannot be read" in done.stdout
    assert "2 of 2 findings are left. Run turret doctor --repair to repair what can be repaired." in unwrap(done.stdout)
    done = turret("doctor", "--repair", "--data-dir", data.root)
    assert (done.returncode, vectors.exists()) == (1, False)
    assert "1 of 2 findings are left." in done.stdout
    (data.root / "topic_edits.jsonl").unlink()
    assert turret("doctor", "--data-dir", data.root).returncode == 0
    assert turret("doctor", "--data-dir", data.root / "none").returncode == 2


def unwrap(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("kind", "message", "said"),
    [
        (
            "OSError",
            "[Errno 28] No space left on device: '/data/lake/x.parquet'",
            "(/data/lake/x.parquet): the disk is full",
        ),
        ("IOException", 'IO Error: Could not write file "/data/b.duckdb": No space left on device', "the disk is full"),
        ("OSError", "[Errno 30] Read-only file system: '/data'", "read-only"),
        ("OSError", "[Errno 5] Input/output error", "the disk does not read or write"),
        ("OSError", "[Errno 24] Too many open files: 'x'", "Raise it (ulimit -n)"),
        ("OperationalError", "(sqlite3.OperationalError) database or disk is full", "the disk is full"),
        ("MemoryError", "", "too little memory is free"),
        ("OutOfMemoryException", "Out of Memory Error: failed to allocate data", "too little memory is free"),
        ("PermissionError", "[Errno 13] Permission denied: '/data/x'", "the permissions do not allow it"),
        ("DatabaseError", "file is not a database", "turret doctor --repair"),
        ("ComputeError", "parquet: File out of specification: The file must end with PAR1", "turret doctor --repair"),
    ],
)
def test_faults_of_the_machine_are_sentences(kind: str, message: str, said: str) -> None:
    sentence = describe_fault(kind, message)
    assert sentence is not None
    assert said in sentence


@pytest.mark.parametrize(
    ("kind", "message"), [("KeyError", "'x'"), ("ValueError", "a checksum"), ("TypeError", "footer")]
)
def test_mistakes_of_the_program_are_no_faults(kind: str, message: str) -> None:
    assert describe_fault(kind, message) is None
