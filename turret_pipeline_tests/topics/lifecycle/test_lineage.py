"""Lineage and summary of a run."""

from dataclasses import replace

import polars as pl
import pytest

from turret_pipeline.tables import TEXTS, TOPIC_LINEAGE
from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline.topics.lifecycle.lineage import births, describe_pending_settings
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline_tests.topics.blobs import scattered
from turret_pipeline_tests.topics.lifecycle.first_run import (
    EMPTY,
    FIRST,
    NOON,
    ODD,
    PARCEL,
    PASSWORD,
    PLAN,
    REFUND,
    changes,
    name_variant,
    run,
    texts,
    vectors,
)

ALL = texts(REFUND, PASSWORD, ODD)
RENAME = Edit("edit-1", "", "rename", "prompt-2", label="Log in")
MERGE = Edit("edit-2", "", "merge", "prompt-2", into_topic_id="prompt-1")


FOUND_WITH = {"found_granularity": 1.0, "found_min_texts": 5, "found_floor": 0.67}


def facts(state: TopicState) -> dict[str, object]:
    """Values of the last row of topic_runs that are neither null nor 0."""
    row = state.topic_runs.row(-1, named=True)
    key = {"run_id", "run_number", "started_at", "field"}
    return {name: value for name, value in row.items() if value and name not in key}


def edited(previous: TopicState, *edits: Edit, run_id: str) -> TopicState:
    return run(previous, ALL, run_id, replace(PLAN, edits=Edits(edits)))


def test_the_row_of_a_first_run() -> None:
    assert FIRST.topic_runs.select("run_id", "run_number", "started_at", "field").rows() == [("r1", 1, NOON, "prompt")]
    assert (
        facts(FIRST)
        == {
            "text_count": 40,
            "topic_count": 2,
            "theme_count": 1,
            "coverage": 0.85,
            "readable_coverage": 0.85,
            "embedding_models": ENGLISH,
            "stability": 1.0,
            "born_count": 2,
        }
        | FOUND_WITH
    )


def test_the_row_of_a_run_counts_changes() -> None:
    second = run(FIRST, texts(REFUND, ODD, PARCEL), "r2")
    assert changes(second, "r2") == [("prompt-2", "retired"), ("prompt-3", "born")]
    row = facts(second)
    assert (row["topic_count"], row["born_count"], row["retired_count"]) == (2, 1, 1)
    assert (row["kept_share"], row["coverage"]) == (1.0, round(36 / 42, 6))
    back = run(second, ALL, "r3")
    assert changes(back, "r3") == [("prompt-2", "revived"), ("prompt-3", "retired")]
    assert facts(back)["revived_count"] == 1
    assert back.topic_runs["run_id"].to_list() == ["r1", "r2", "r3"]


def test_a_rename_and_its_undo_are_changes() -> None:
    second = edited(FIRST, RENAME, run_id="r2")
    assert changes(second, "r2") == [("prompt-2", "renamed")]
    assert facts(second)["renamed_count"] == 1
    assert changes(edited(second, RENAME, run_id="r3"), "r3") == []
    assert changes(edited(second, run_id="r3"), "r3") == [("prompt-2", "renamed")]


def test_a_topic_may_be_renamed_and_merged_at_once() -> None:
    second = edited(FIRST, RENAME, MERGE, run_id="r2")
    assert changes(second, "r2") == [("prompt-2", "merged"), ("prompt-2", "renamed")]
    row = facts(second)
    assert (row["merged_count"], row["renamed_count"], row["topic_count"]) == (1, 1, 1)
    assert row["kept_share"] == round(20 / 34, 6)


def test_unassigned_texts_do_not_count_for_the_kept_share() -> None:
    assert "kept_share" not in facts(run(FIRST, texts(ODD), "r2"))


def test_a_refit_with_the_same_result_changes_nothing_and_reports_its_stability() -> None:
    second = run(FIRST, ALL, "r2", replace(PLAN, refit=True))
    assert second.text_topics.rows() == FIRST.text_topics.rows()
    assert changes(second, "r2") == []
    assert (facts(second)["kept_share"], facts(second)["stability"]) == (1.0, 1.0)


FINER = replace(PLAN, options=replace(PLAN.options, granularity=2.0, min_texts=6))


def test_a_run_stores_the_options_that_the_topics_were_found_with() -> None:
    found = [f"found_{name}" for name in ("granularity", "min_texts", "floor")]
    continued = run(FIRST, ALL, "r2", FINER)
    anew = run(continued, ALL, "r3", replace(FINER, refit=True))
    back = run(anew, ALL, "r4")
    assert back.topic_runs.select(found).rows() == [(1, 5, 0.67), (1, 5, 0.67), (2, 6, 0.67), (2, 6, 0.67)]
    pending = describe_pending_settings(continued.topic_runs.row(-1, named=True), FINER.options)
    assert pending == (
        "Topics of prompt were found with topic_granularity 1 (now 2), topic_min_texts 5 (now 6): run turret topics "
        "refit to apply the change to known topics."
    )
    assert describe_pending_settings(anew.topic_runs.row(-1, named=True), FINER.options) is None


def test_settings_are_not_pending_without_topics_or_stored_options() -> None:
    none = run(EMPTY, texts(ODD)).topic_runs.row(-1, named=True)
    assert describe_pending_settings(none, FINER.options) is None
    unknown = FIRST.topic_runs.row(-1, named=True) | dict.fromkeys(FOUND_WITH)
    assert describe_pending_settings(unknown, FINER.options) is None
    of_old_version = {name: value for name, value in unknown.items() if name not in FOUND_WITH}
    assert describe_pending_settings(of_old_version, FINER.options) is None


TOO_FEW = (
    "Too few distinct texts ({}): at least 10 are needed, twice the minimum size of a topic (5, setting "
    "topic_min_texts)."
)


@pytest.mark.parametrize(
    ("count", "note"),
    [
        (0, TOO_FEW.format(0)),
        (1, TOO_FEW.format(1)),
        (7, TOO_FEW.format(7)),
        (30, "No topic: fewer than 5 of the 30 distinct texts are alike (settings topic_min_texts, topic_floor)."),
    ],
)
def test_the_note_has_the_reason_why_there_are_no_topics(count: int, note: str) -> None:
    odd = {f"oddity {name_variant(number)}": vector for number, vector in enumerate(scattered(count))}
    state = update_topic_state(EMPTY if count else FIRST, texts(odd), vectors(odd), PLAN, Run("r2", NOON))
    row = state.topic_runs.row(-1, named=True)
    assert (row["topic_count"], row["theme_count"], row["note"]) == (0, 0, note)
    assert row["coverage"] == (0.0 if count else None)


def test_every_field_has_a_row() -> None:
    both = run(EMPTY, pl.concat([texts(REFUND, PASSWORD), texts(ODD, field="note")]))
    assert both.topic_runs.select("field", "text_count", "topic_count").rows() == [("note", 6, 0), ("prompt", 34, 2)]


def test_a_topic_was_born_in_the_run_of_its_first_change() -> None:
    second = run(FIRST, texts(REFUND, PASSWORD, ODD, PARCEL), "r2", replace(PLAN, edits=Edits((RENAME, MERGE))))
    assert changes(second, "r2") == [("prompt-2", "merged"), ("prompt-2", "renamed"), ("prompt-3", "born")]
    assert births(second.topic_lineage) == {"prompt-1": "r1", "prompt-2": "r1", "prompt-3": "r2"}
    hours = (pl.col("run_id") == "r2").cast(pl.Int64)
    clock_set_back = second.topic_lineage.with_columns(pl.col("changed_at") - pl.duration(hours=hours))
    assert births(clock_set_back) == births(second.topic_lineage)
    assert births(TOPIC_LINEAGE.empty()) == {}


def test_the_note_of_a_former_text_field_has_its_type() -> None:
    for types, note in (
        ({"prompt": "enum"}, "prompt is no longer a text field (now enum). Setting field_types makes it one again."),
        ({"prompt": "text", "note": "enum"}, "Too few distinct texts (0): at least 10 are needed"),
    ):
        gone = run(FIRST, TEXTS.empty(), "r2", replace(PLAN, types=types)).topic_runs.row(-1, named=True)
        assert (gone["topic_count"], gone["retired_count"]) == (0, 2)
        assert gone["note"].startswith(note)
