"""Topics that too few users have for the setting privacy_min_users."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline_tests.commands import published_tables, run_job, turret
from turret_pipeline_tests.orchestration.continued_folders import add_new_file

NAME = "What we call it"


def told(data: Path, *arguments: str) -> str:
    """What `turret topics` prints."""
    done = CliRunner().invoke(app, ["topics", *arguments, "--data-dir", str(data)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_topics_of_few_users_are_hidden_and_come_back_with_their_ids_and_edits(small_job: Path, tmp_path: Path) -> None:
    data = add_new_file(shutil.copytree(small_job, tmp_path / "data"))
    before = published_tables(data)
    told(data, "rename", "prompt-1", NAME)
    done = turret("run", "--data-dir", data, extra={"TURRET_PRIVACY_MIN_USERS": "8"})  # 7 users but the garden's 12
    assert done.returncode == 0, done.stderr
    private = published_tables(data)
    (garden,) = private["topics"]["topic_id"]
    assert garden not in before["topics"]["topic_id"].to_list()
    assert set(private["event_topics"].filter(pl.col("topic_id").is_not_null())["event_id"].str.head(1)) == {"g"}
    assert set(private["event_topics"]["runner_up_topic_id"]) <= {garden, None}
    assert set(private["topic_lineage"]["topic_id"]) == {garden}
    ours = private["event_topics"].filter(pl.col("topic_id").is_not_null())["event_id"]
    texts = private["events"].select("event_id", pl.col("metadata").str.json_path_match("$.prompt"))
    share = texts.filter(pl.col("event_id").is_in(ours.to_list()))["metadata"].n_unique() / texts["metadata"].n_unique()
    last = private["topic_runs"].row(-1, named=True)
    assert (last["topic_count"], last["theme_count"], last["coverage"]) == (1, 1, pytest.approx(share, abs=1e-6))
    assert private["topic_runs"]["born_count"].sum() == private["topic_lineage"].height
    assert "was skipped" not in done.stderr
    assert "skipped" not in told(data, "edits")
    assert "Waiting for the next run" not in told(data, "list")
    assert NAME not in str(private["pipeline_runs"]["edits"].to_list())
    assert NAME.encode() not in (data / "lake" / "topic_state.json").read_bytes()
    run_job(data)
    after = published_tables(data)
    assert after["topics"].filter(pl.col("topic_id") == "prompt-1")["label"].to_list() == [NAME]
    assert NAME in str(after["pipeline_runs"]["edits"].to_list()[-1])
    assert garden in after["topics"]["topic_id"].to_list()
    joined = before["event_topics"].join(after["event_topics"], on=["event_id", "field"], suffix="_after")
    assert joined["topic_id"].to_list() == joined["topic_id_after"].to_list()
