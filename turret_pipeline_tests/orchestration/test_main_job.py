"""The main job on the sample, as a person runs it."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.metrics import adjusted_mutual_info_score

from turret_pipeline.quality.contracts import find_breaches
from turret_pipeline.storage.numbered_tables import MEANING
from turret_pipeline.tables import MART_TABLES
from turret_pipeline_tests.benchmarks.changes import compare, find_growing, read_lake
from turret_pipeline_tests.commands import (
    SAMPLE,
    open_published,
    published_tables,
    run_job,
    turret,
    warehouse,
)
from turret_pipeline_tests.conftest import Job


@pytest.mark.parametrize("name", MART_TABLES)
def test_every_published_table_keeps_its_contract(sample_job: Job, name: str) -> None:
    with open_published(sample_job.data_dir) as connection:
        assert find_breaches(connection, MART_TABLES[name]) == []


TABLES = "select table_name, comment from duckdb_tables()"


def test_the_published_file_explains_itself_and_needs_nothing_else(sample_job: Job) -> None:
    with open_published(sample_job.data_dir) as connection:
        tables = dict(connection.execute(f"{TABLES} where schema_name = 'marts'").fetchall())
        copies = connection.execute(f"{TABLES} where schema_name = 'numbered'").fetchall()
        views = connection.execute("select count(*) from duckdb_views() where not internal").fetchall()
        columns = connection.execute(
            "select count(*) from duckdb_columns() where schema_name = 'marts' and comment is null"
        ).fetchall()
    assert tables == {name: table.grain for name, table in MART_TABLES.items()}
    assert {comment for _, comment in copies} == {MEANING}
    assert (views, columns) == ([(0,)], [(0,)])


def test_every_row_of_the_sample_is_accounted_for(sample_job: Job) -> None:
    files = published_tables(sample_job.data_dir)["source_files"]
    assert files["row_count"].sum() > 5000
    assert files["rejected_count"].sum() > 10
    assert files["duplicate_count"].sum() > 0
    parts = files.select(
        pl.sum_horizontal("accepted_count", "duplicate_count", "rejected_count", "forgotten_count")
    ).to_series()
    assert parts.to_list() == files["row_count"].to_list()


def test_the_fields_of_the_sample_have_their_types(sample_job: Job) -> None:
    fields = published_tables(sample_job.data_dir)["fields"]
    assert dict(fields.select("field", "type").iter_rows()) == {
        "answer_tokens": "number",
        "feedback": "text",
        "file_kb": "number",
        "format": "enum",
        "is_cached": "enum",
        "latency_seconds": "number",
        "model": "enum",
        "part": "enum",
        "plan": "enum",
        "platform": "enum",
        "prompt": "text",
        "prompt_chars": "number",
        "rating": "number",
        "request_id": "identifier",
    }


def test_the_planted_topics_of_the_sample_are_found(sample_job: Job, tmp_path: Path) -> None:
    generator = SAMPLE / "generator" / "make_sample.py"
    gold_file = tmp_path / "gold.csv"
    subprocess.run([sys.executable, generator, "--out", tmp_path, "--gold", gold_file], check=True, capture_output=True)
    gold = pl.read_csv(gold_file).filter(pl.col("topic").is_not_null() & (pl.col("topic") != ""))
    topics = published_tables(sample_job.data_dir)["event_topics"].filter(pl.col("field") == "prompt")
    both = gold.join(topics, on="event_id")
    found = both["topic_id"].fill_null("none")
    assert adjusted_mutual_info_score(both["topic"].to_list(), found.to_list()) > 0.7
    assert both["topic_id"].null_count() / both.height < 0.1


def test_the_summary_tells_prompts_that_carry_a_topic_on_from_those_that_have_none(sample_job: Job) -> None:
    prompts = published_tables(sample_job.data_dir)["event_topics"].filter(pl.col("field") == "prompt")
    carries = pl.col("continues_topic_id").is_not_null()
    none = prompts.filter(pl.col("topic_id").is_null() & ~carries).height / prompts.height
    carrying_on = prompts.filter(carries).height / prompts.height
    assert carrying_on > 0.2
    assert (
        f"{none:.1%} of the events have no topic, {carrying_on:.1%} are follow-ups of an earlier topic"
        in sample_job.printed
    )


def test_what_the_free_plan_asks_more_of_is_found(sample_job: Job) -> None:
    tables = published_tables(sample_job.data_dir)
    of_free = tables["topic_segments"].filter((pl.col("segment_value") == "free") & (pl.col("q_value") <= 0.05))
    more = of_free.filter(pl.col("difference_low") > 0).join(tables["topics"], on="topic_id")
    assert more["example_texts"].list.join(" ").str.to_lowercase().str.contains("logo").any()


def test_product_photos_grow_over_four_weeks_and_nothing_else_does(sample_job: Job) -> None:
    prompts, feedback = (read_lake(sample_job.data_dir / "lake")[field] for field in ("prompt", "feedback"))
    growing = published_tables(sample_job.data_dir)["topics"].filter(
        pl.col("topic_id").is_in(find_growing(compare(prompts)))
    )
    assert growing.height == 1
    assert growing["example_texts"].list.join(" ").str.contains("picture|photo").all()
    assert find_growing(compare(feedback)) == []
    assert '"photo" (' in sample_job.printed, "the words say what has grown in the topic"


def test_every_topic_has_its_growth_and_its_numbers(sample_job: Job) -> None:
    tables = published_tables(sample_job.data_dir)
    active = tables["topics"].filter(pl.col("status") == "active")
    assert active["is_emerging"].null_count() == 0
    numbers = tables["topic_numbers"].filter(pl.col("number_field") == "prompt_chars")
    prompts = active.filter(pl.col("field") == "prompt")
    joined = prompts.join(numbers, on="topic_id").filter(pl.col("value_count") > 0)
    assert joined.height == prompts.height
    assert (joined["value_count"] <= joined["event_count"]).all()


@pytest.mark.slow
def test_the_sample_is_what_its_generator_makes(tmp_path: Path) -> None:
    generator = SAMPLE / "generator" / "make_sample.py"
    subprocess.run([sys.executable, generator, "--out", tmp_path], check=True, capture_output=True)
    for name in ("events-2026-08.jsonl", "events-2026-09.jsonl.gz"):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()


def test_the_summary_says_what_was_found_and_where_it_is(sample_job: Job) -> None:
    for part in (
        "5,684 events",
        "What people talk about",
        "Topics of prompt",
        "Topics of feedback",
        "What changed",
        "Where it fails",
        "For whom it differs",
        "Journeys of prompt",
        "sessions start on",
        "Most frequent next steps",
        "Quality: all",
        str(warehouse(sample_job.data_dir)),
        "Next: ",
    ):
        assert part in sample_job.printed


def test_pictures_and_the_quality_report_are_written(sample_job: Job) -> None:
    for picture in ("topic_sizes", "topic_map", "first_steps", "transitions", "what_changed"):
        assert (sample_job.data_dir / "figures" / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
        assert ElementTree.parse(sample_job.data_dir / "figures" / f"{picture}.svg").getroot().tag.endswith("svg")
    for page in ("quality", "report"):
        assert (sample_job.data_dir / page / "index.html").read_text().startswith("<!DOCTYPE html>")


def test_a_second_run_with_nothing_new_publishes_nothing_and_embeds_nothing(sample_job: Job, tmp_path: Path) -> None:
    data_dir = shutil.copytree(sample_job.data_dir, tmp_path / "data")
    before = _written(data_dir)
    done = turret("run", "--input", SAMPLE, "--data-dir", data_dir)
    assert done.returncode == 0
    assert "Nothing new" in done.stdout
    assert "Embedding" not in done.stderr
    assert _written(data_dir) == before


def _written(data_dir: Path) -> list[tuple[str, int, int]]:
    """What tells whether the published file and the vectors were written again."""
    files = [warehouse(data_dir), *sorted((data_dir / "lake" / "embeddings").rglob("*.parquet"))]
    return [(file.name, file.stat().st_ino, file.stat().st_mtime_ns) for file in files]


def test_the_same_input_gives_identical_tables_in_a_fresh_folder(sample_job: Job, tmp_path: Path) -> None:
    run_job(tmp_path, SAMPLE / "events-2026-09.jsonl.gz", SAMPLE / "events-2026-08.jsonl")  # in the other order, too
    for name, frame in published_tables(tmp_path).items():
        assert_frame_equal(frame, published_tables(sample_job.data_dir)[name], check_exact=True)
