"""Which edits a run follows: those made for topics that are still there, and made before the topics were."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.definitions import JOB, build_definitions
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.topic_edits import TopicEditsFile
from turret_pipeline_tests.commands import (
    published_tables,
    turret,
    warehouse,
)

NAME = "What we call it"


@pytest.fixture
def data(small_job: Path, tmp_path: Path) -> Path:
    """A data folder with one published run."""
    return shutil.copytree(small_job, tmp_path / "data")


def told(data: Path, *arguments: str) -> str:
    """What `turret topics` prints."""
    done = CliRunner().invoke(app, ["topics", *arguments, "--data-dir", str(data)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def label(data: Path, topic_id: str = "prompt-1") -> str:
    topics = published_tables(data)["topics"]
    return str(topics.filter(pl.col("topic_id") == topic_id)["label"].item())


def materialize(data: Path, groups: Iterable[str]) -> None:
    """Make the assets of some groups, as a person does in the UI."""
    definitions = build_definitions(load_settings(data_dir=data))
    graph = definitions.resolve_asset_graph()
    keys = [key for key in graph.materializable_asset_keys if graph.get(key).group_name in set(groups)]
    with dg.DagsterInstance.ephemeral() as instance:
        assert definitions.resolve_job_def(JOB).execute_in_process(instance=instance, asset_selection=keys).success


def test_edits_of_topics_that_are_gone_are_left_out_told_and_kept(data: Path) -> None:
    told(data, "rename", "prompt-1", NAME)
    file = data / "topic_edits.jsonl"
    by_hand = {"edit_id": "edit-7", "action": "rename", "topic_id": "prompt-2", "label": "By hand"}
    file.write_text(file.read_text() + json.dumps(by_hand) + "\n")
    shutil.rmtree(warehouse(data).parent)  # the topics are found from scratch, and ids are given anew
    done = turret("run", "--data-dir", data)
    assert done.returncode == 0
    assert (
        f'edit-1 (rename prompt-1 to "{NAME}") was skipped: prompt-1 no longer exists. Repeat it for the right topic, '
        "or undo it: turret topics undo edit-1."
    ) in " ".join(done.stderr.split())
    assert label(data) != NAME
    assert label(data, "prompt-2") == "By hand"
    assert "Waiting for the next run" not in told(data, "list")
    mark = "  (skipped: prompt-1 is now a different topic)"
    assert [line.endswith(mark) for line in told(data, "edits").splitlines()] == [True, False]
    told(data, "rename", "prompt-1", NAME)  # the label of a skipped edit is free
    assert [edit.edit_id for edit in TopicEditsFile(file).read().all] == ["edit-1", "edit-7", "edit-8"]


@pytest.mark.filterwarnings("ignore:AssetExecutionContext|InitResourceContext:DeprecationWarning")  # dagster-dbt's
def test_an_edit_made_after_a_run_of_the_topics_only_is_applied_by_the_next_run(data: Path) -> None:
    before = label(data)
    told(data, "lock", "prompt-2")
    materialize(data, ["topics"])
    told(data, "rename", "prompt-1", NAME)
    told(data, "undo", "edit-1")
    assert label(data) == before, "a partial run publishes nothing"
    assert f'rename prompt-1 to "{NAME}"' in told(data, "list").split("Waiting for the next run:\n")[1]
    done = turret("run", "--data-dir", data)
    assert "Nothing new" not in done.stdout
    assert label(data) == NAME
    assert "Waiting for the next run" not in told(data, "list")
    assert "Nothing new" in turret("run", "--data-dir", data).stdout


def test_topics_that_are_not_whole_are_said_to_be_made_by_their_group(tmp_path: Path) -> None:
    with pytest.raises(TurretError, match=r"are incomplete: materialize the assets group:topics, or run turret run\.$"):
        DataDir(tmp_path).topic_states.read_note()


def test_names_that_clash_after_an_undo_or_by_hand_stop_no_run(data: Path) -> None:
    told(data, "rename", "prompt-1", "Alpha name")
    told(data, "rename", "prompt-1", "Beta name")
    told(data, "rename", "prompt-2", "Alpha name")
    told(data, "undo", "edit-2")
    file = data / "topic_edits.jsonl"
    by_hand = {"edit_id": "edit-4", "action": "rename", "topic_id": "prompt-3", "label": "ALPHA NAME"}
    file.write_text(file.read_text() + json.dumps(by_hand) + "\n")
    done = turret("run", "--data-dir", data)
    assert done.returncode == 0, done.stderr
    assert [label(data, f"prompt-{number}") for number in (1, 2, 3)] == ["Alpha name", "Alpha name 2", "ALPHA NAME 3"]
    assert (
        'edit-3 (rename prompt-2 to "Alpha name") was applied with the label "Alpha name 2": edit-1 gave "Alpha name" '
        "to prompt-1."
    ) in " ".join(done.stderr.split())
    assert '\nEdits applied: 3\n- edit-1: rename prompt-1 to "Alpha name"\n- edit-3: rename ' in done.stdout
