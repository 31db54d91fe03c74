"""What is told of a run: the changes among topics, and how it went."""

from dataclasses import replace

import polars as pl
import pytest

from turret_pipeline.tables import TEXTS, TOPIC_LINEAGE
from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.lifecycle.lineage import births, waiting_settings
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState, advance
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
    run,
    texts,
    vectors,
)

ALL = texts(REFUND, PASSWORD, ODD)
RENAME = Edit("edit-1", "", "rename", "prompt-2", label="Log in")
MERGE = Edit("edit-2", "", "merge", "prompt-2", into_topic_id="prompt-1")


FOUND_WITH = {"found_granularity": 1.0, "found_min_texts": 5, "found_floor": 0.484}


def facts(state: TopicState) -> dict[str, object]:
    """The last row of topic_runs, what is null or 0 left out."""
    row = state.topic_runs.row(-1, named=True)
    return {name: value for name, value in row.items() if value and name not in {"run_id", "started_at", "field"}}


def decided(previous: TopicState, *edits: Edit, run_id: str) -> TopicState:
    return run(previous, ALL, run_id, replace(PLAN, edits=Edits(edits)))


def test_a_first_run_is_told() -> None:
    assert FIRST.topic_runs.select("run_id", "started_at", "field").rows() == [("r1", NOON, "prompt")]
    assert (
        facts(FIRST)
        == {
            "text_count": 40,
            "topic_count": 2,
            "theme_count": 1,
            "coverage": 0.85,
            "stability": 1.0,
            "born_count": 2,
        }
        | FOUND_WITH
    )


def test_a_run_in_which_topics_come_and_go_is_told() -> None:
    second = run(FIRST, texts(REFUND, ODD, PARCEL), "r2")
    assert changes(second, "r2") == [("prompt-2", "retired"), ("prompt-3", "born")]
    told = facts(second)
    assert (told["topic_count"], told["born_count"], told["retired_count"]) == (2, 1, 1)
    assert (told["kept_share"], told["coverage"]) == (1.0, round(36 / 42, 6))
    back = run(second, ALL, "r3")
    assert changes(back, "r3") == [("prompt-2", "revived"), ("prompt-3", "retired")]
    assert facts(back)["revived_count"] == 1
    assert back.topic_runs["run_id"].to_list() == ["r1", "r2", "r3"]


def test_a_name_that_a_person_gives_or_takes_away_is_a_change() -> None:
    second = decided(FIRST, RENAME, run_id="r2")
    assert changes(second, "r2") == [("prompt-2", "renamed")]
    assert facts(second)["renamed_count"] == 1
    assert changes(decided(second, RENAME, run_id="r3"), "r3") == []
    assert changes(decided(second, run_id="r3"), "r3") == [("prompt-2", "renamed")]


def test_a_topic_may_be_renamed_and_merged_at_once() -> None:
    second = decided(FIRST, RENAME, MERGE, run_id="r2")
    assert changes(second, "r2") == [("prompt-2", "merged"), ("prompt-2", "renamed")]
    told = facts(second)
    assert (told["merged_count"], told["renamed_count"], told["topic_count"]) == (1, 1, 1)
    assert told["kept_share"] == round(20 / 34, 6)


def test_texts_without_a_topic_before_are_not_among_those_kept() -> None:
    assert "kept_share" not in facts(run(FIRST, texts(ODD), "r2"))


def test_a_refit_that_finds_the_same_changes_nothing_but_tells_how_sure_it_is() -> None:
    second = run(FIRST, ALL, "r2", replace(PLAN, refit=True))
    assert second.text_topics.rows() == FIRST.text_topics.rows()
    assert changes(second, "r2") == []
    assert (facts(second)["kept_share"], facts(second)["stability"]) == (1.0, 1.0)


FINER = replace(PLAN, options=replace(PLAN.options, granularity=2.0, min_texts=6))


def test_a_run_tells_with_what_the_topics_were_last_found_anew() -> None:
    found = [f"found_{name}" for name in ("granularity", "min_texts", "floor")]
    carried_on = run(FIRST, ALL, "r2", FINER)
    anew = run(carried_on, ALL, "r3", replace(FINER, refit=True))
    back = run(anew, ALL, "r4")
    assert back.topic_runs.select(found).rows() == [(1, 5, 0.484), (1, 5, 0.484), (2, 6, 0.484), (2, 6, 0.484)]
    waiting = waiting_settings(carried_on.topic_runs.row(-1, named=True), FINER.options)
    assert waiting == (
        "The topics of prompt were found with topic_granularity 1 (now 2), topic_min_texts 5 (now 6): those known stay "
        "as they are until turret topics refit."
    )
    assert waiting_settings(anew.topic_runs.row(-1, named=True), FINER.options) is None


def test_no_setting_waits_where_there_are_no_topics_or_it_is_not_known_what_they_were_found_with() -> None:
    none = run(EMPTY, texts(ODD)).topic_runs.row(-1, named=True)
    assert waiting_settings(none, FINER.options) is None
    unknown = FIRST.topic_runs.row(-1, named=True) | dict.fromkeys(FOUND_WITH)
    assert waiting_settings(unknown, FINER.options) is None
    of_old_version = {name: value for name, value in unknown.items() if name not in FOUND_WITH}
    assert waiting_settings(of_old_version, FINER.options) is None


@pytest.mark.parametrize(
    ("count", "note"),
    [
        (0, "0 distinct texts are too few: a topic has at least 5 (setting topic_min_texts), and topics are looked for "
            "from 10 on."),
        (1, "1 distinct text is too few: a topic has at least 5 (setting topic_min_texts), and topics are looked for "
            "from 10 on."),
        (7, "7 distinct texts are too few: a topic has at least 5 (setting topic_min_texts), and topics are looked for "
            "from 10 on."),
        (30, "No 5 of the 30 distinct texts are alike enough for a topic (settings topic_min_texts, topic_floor)."),
    ],
)  # fmt: skip
def test_where_there_are_no_topics_it_is_said_why(count: int, note: str) -> None:
    odd = {f"oddity {number}": vector for number, vector in enumerate(scattered(count))}
    state = advance(EMPTY if count else FIRST, texts(odd), vectors(odd), PLAN, Run("r2", NOON))
    row = state.topic_runs.row(-1, named=True)
    assert (row["topic_count"], row["theme_count"], row["note"]) == (0, 0, note)
    assert row["coverage"] == (0.0 if count else None)


def test_fields_are_told_of_apart() -> None:
    both = run(EMPTY, pl.concat([texts(REFUND, PASSWORD), texts(ODD, field="note")]))
    assert both.topic_runs.select("field", "text_count", "topic_count").rows() == [("note", 6, 0), ("prompt", 34, 2)]


def test_a_topic_was_born_in_the_run_of_its_first_change() -> None:
    second = run(FIRST, texts(REFUND, PASSWORD, ODD, PARCEL), "r2", replace(PLAN, edits=Edits((RENAME, MERGE))))
    assert changes(second, "r2") == [("prompt-2", "merged"), ("prompt-2", "renamed"), ("prompt-3", "born")]
    assert births(second.topic_lineage) == {"prompt-1": "r1", "prompt-2": "r1", "prompt-3": "r2"}
    hours = (pl.col("run_id") == "r2").cast(pl.Int64)
    later = second.topic_lineage.with_columns(pl.col("changed_at") + pl.duration(hours=hours))
    assert births(later.reverse()) == births(second.topic_lineage)
    assert births(TOPIC_LINEAGE.empty()) == {}


def test_of_a_field_that_is_no_text_field_any_more_it_is_said_what_it_is_now() -> None:
    for types, note in (
        ({"prompt": "enum"}, "prompt is no text field any more (now enum): setting field_types brings it back."),
        ({"prompt": "text", "note": "enum"}, "0 distinct texts are too few: a topic has at least 5"),
    ):
        gone = run(FIRST, TEXTS.empty(), "r2", replace(PLAN, types=types)).topic_runs.row(-1, named=True)
        assert (gone["topic_count"], gone["retired_count"]) == (0, 2)
        assert gone["note"].startswith(note)
