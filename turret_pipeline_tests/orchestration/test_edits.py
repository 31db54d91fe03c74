"""A person's edits through whole runs: they hold while the data doubles, they go when undone, a refit keeps the ids."""

import gzip
import re
import shutil
from pathlib import Path

import polars as pl
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline_tests.commands import SAMPLE, published_tables, run_job, turret
from turret_pipeline_tests.conftest import Job

PART = 6
"""One in so many users of the sample is enough for topics that can be split."""
Tables = dict[str, pl.DataFrame]


def write_part(source: Path, target: Path) -> Path:
    """Write the rows of some users of a file of the sample, and return its path."""
    with (gzip.open if source.suffix == ".gz" else open)(source, "rt") as lines:
        users = [(line, re.search(r'"user_id": "u_(\d+)"', line)) for line in lines]
    target.write_text("".join(line for line, user in users if user and int(user[1]) % PART == 0))
    return target


def edit(data_dir: Path, *arguments: str) -> None:
    """`turret topics` with these arguments."""
    done = CliRunner().invoke(app, ["topics", *arguments, "--data-dir", str(data_dir)], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def topics(tables: Tables) -> dict[str, dict[str, object]]:
    """Topics of prompts by their id."""
    of_prompts = tables["topics"].filter(pl.col("field") == "prompt")
    return {row["topic_id"]: row for row in of_prompts.iter_rows(named=True)}


def moved(before: Tables, after: Tables, topic_id: str) -> set[str | None]:
    """The topics that the events of a topic have later."""
    events = before["event_topics"].filter(pl.col("topic_id") == topic_id)
    return set(events.join(after["event_topics"], on=["event_id", "field"], suffix="_after")["topic_id_after"])


def changes(tables: Tables, old: Tables) -> set[tuple[str, str, str | None]]:
    """Rows of the lineage that are new."""
    columns = ["topic_id", "change", "other_topic_id"]
    return set(tables["topic_lineage"].select(columns)[old["topic_lineage"].height :].rows())


def test_edits_hold_while_the_data_doubles_and_go_when_undone(sample_job: Job, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_job.data_dir / "lake" / "embeddings", data / "lake" / "embeddings")  # they take longest
    august = write_part(SAMPLE / "events-2026-08.jsonl", tmp_path / "august.jsonl")
    september = write_part(SAMPLE / "events-2026-09.jsonl.gz", tmp_path / "september.jsonl")
    run_job(data, august)
    first = published_tables(data)
    named, kept, gone, locked, torn = list(topics(first))[:5]

    edit(data, "rename", named, "What we call it")
    edit(data, "merge", gone, kept)
    edit(data, "lock", locked)
    edit(data, "split", torn)
    run_job(data, september)
    edited = published_tables(data)
    assert edited["events"].height > 1.9 * first["events"].height
    found = topics(edited)
    assert (found[named]["label"], found[named]["label_source"]) == ("What we call it", "person")
    assert (found[gone]["status"], found[gone]["merged_into_topic_id"], found[gone]["event_count"]) == (
        "retired",
        kept,
        0,
    )
    assert found[locked]["is_locked"]
    assert [moved(first, edited, one) for one in (named, kept, gone, locked)] == [{named}, {kept}, {kept}, {locked}]
    (part,) = (one for one in moved(first, edited, torn) if one != torn and one is not None)
    assert part not in topics(first)
    assert {(named, "renamed", None), (gone, "merged", kept), (part, "split", torn)} <= changes(edited, first)
    counted = edited["topic_runs"].filter(pl.col("field") == "prompt").row(-1, named=True)
    assert min(counted[f"{change}_count"] for change in ("renamed", "merged", "split")) >= 1

    for _ in range(4):
        edit(data, "undo")
    run_job(data, september)
    undone = published_tables(data)
    back = topics(undone)
    for topic_id, before in topics(first).items():
        assert (back[topic_id]["label"], back[topic_id]["label_source"]) == (before["label"], "keywords")
    assert [moved(first, undone, one) for one in (named, kept, gone, locked, torn)] == [
        {named}, {kept}, {gone}, {locked}, {torn},
    ]  # fmt: skip
    assert (back[gone]["status"], back[part]["status"], back[locked]["is_locked"]) == ("active", "retired", False)
    assert {(named, "renamed", None), (gone, "revived", None), (part, "merged", torn)} <= changes(undone, edited)

    done = turret("topics", "refit", "--data-dir", data)
    assert done.returncode == 0, done.stdout + done.stderr
    anew = topics(published_tables(data))
    active = [topic_id for topic_id, row in back.items() if row["status"] == "active"]
    still = [topic_id for topic_id in active if anew[topic_id]["status"] == "active"]
    assert len(still) >= 0.6 * len(active)
    assert [anew[topic_id]["label"] for topic_id in still] == [back[topic_id]["label"] for topic_id in still]
