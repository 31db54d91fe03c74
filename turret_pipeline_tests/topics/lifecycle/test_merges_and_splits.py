"""Splits and merges by a person."""

from dataclasses import replace

import numpy as np
import polars as pl

from turret_pipeline.topics.edits import Action, Edit, Edits
from turret_pipeline.topics.embedding.texts import text_id
from turret_pipeline.topics.lifecycle.merges_and_splits import apply_splits
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.tracking.assign import measure_fit
from turret_pipeline.topics.tracking.update import Update
from turret_pipeline_tests.topics.lifecycle.first_run import (
    EMPTY,
    FIRST,
    NOON,
    ODD,
    PARCEL,
    PASSWORD,
    PLAN,
    REFUND,
    assert_same,
    changes,
    make_texts,
    run,
    statuses,
    texts,
    topic_of,
    vectors,
)

ALL = texts(REFUND, PASSWORD, ODD)


def edit(action: Action, topic_id: str, number: int = 1, **details: object) -> Edit:
    return Edit(f"edit-{number}", "", action, topic_id, **details)  # type: ignore[arg-type]


def edited(previous: TopicState, *edits: Edit, run_id: str = "r2", given: pl.DataFrame = ALL) -> TopicState:
    return run(previous, given, run_id, replace(PLAN, edits=Edits(edits)))


def refitted(previous: TopicState, *edits: Edit, run_id: str = "r3", given: pl.DataFrame = ALL) -> TopicState:
    return run(previous, given, run_id, replace(PLAN, edits=Edits(edits), refit=True))


def counts(state: TopicState) -> dict[str | None, int]:
    """Texts by topic."""
    return dict(state.text_topics.group_by("topic_id").len().iter_rows())


MERGE = edit("merge", "prompt-2", into_topic_id="prompt-1")
SPLIT = edit("split", "prompt-1", parts=3)


def test_texts_of_a_merged_topic_have_the_other_topic_but_keep_the_found_one() -> None:
    state = edited(FIRST, MERGE)
    assert topic_of(state, [*REFUND, *PASSWORD]) == {"prompt-1"}
    assert state.text_topics["found_topic_id"].to_list() == FIRST.text_topics["found_topic_id"].to_list()
    gone = state.topic_definitions.row(1, named=True)
    assert (gone["status"], gone["merged_into_topic_id"]) == ("retired", "prompt-1")
    assert changes(state, "r2") == [("prompt-2", "merged")]
    assert state.topic_lineage.row(-1, named=True)["other_topic_id"] == "prompt-1"
    assert changes(edited(state, MERGE, run_id="r3"), "r3") == []


def test_new_texts_of_a_merged_topic_get_the_other_topic() -> None:
    more = make_texts("reset password again", 30, first=1, seed=7)
    look_up = vectors(REFUND, PASSWORD, ODD, more)

    plan = replace(PLAN, edits=Edits((MERGE,)))
    state = update_topic_state(edited(FIRST, MERGE), texts(REFUND, PASSWORD, ODD, more), look_up, plan, Run("r3", NOON))
    assert topic_of(state, more) == {"prompt-1"}
    ids = [text_id(text) for text in more]
    assert set(state.text_topics.filter(pl.col("text_id").is_in(ids))["found_topic_id"]) == {"prompt-2"}


def test_chains_of_merges_are_followed() -> None:
    three = run(EMPTY, texts(REFUND, PARCEL, PASSWORD))
    onward = edit("merge", "prompt-1", 2, into_topic_id="prompt-2")
    state = edited(
        three, edit("merge", "prompt-3", into_topic_id="prompt-1"), onward, given=texts(REFUND, PARCEL, PASSWORD)
    )
    assert topic_of(state, [*REFUND, *PARCEL, *PASSWORD]) == {"prompt-2"}
    assert state.topic_definitions["merged_into_topic_id"].to_list() == ["prompt-2", None, "prompt-2"]


def test_undoing_a_merge_revives_the_topic() -> None:
    state = edited(edited(FIRST, MERGE), run_id="r3")
    assert changes(state, "r3") == [("prompt-2", "revived")]
    assert_same(replace(state, topic_lineage=FIRST.topic_lineage, topic_runs=FIRST.topic_runs), FIRST)


def test_a_merge_into_an_unknown_topic_or_another_field_changes_nothing() -> None:
    for into in ("prompt-99", "note-1"):
        state = edited(FIRST, edit("merge", "prompt-2", into_topic_id=into))
        assert_same(replace(state, topic_runs=FIRST.topic_runs), FIRST)


def test_the_largest_part_of_a_split_topic_keeps_its_id() -> None:
    state = edited(FIRST, SPLIT)
    parts = counts(state)
    assert parts.keys() == {"prompt-1", "prompt-2", "prompt-3", "prompt-4", None}
    assert parts["prompt-1"] >= parts["prompt-3"] >= parts["prompt-4"] > 0
    assert parts["prompt-1"] + parts["prompt-3"] + parts["prompt-4"] == len(REFUND)
    assert topic_of(state, PASSWORD) == {"prompt-2"}
    assert changes(state, "r2") == [("prompt-3", "split"), ("prompt-4", "split")]
    rows = state.topic_lineage.filter(pl.col("run_id") == "r2").select("other_topic_id", "overlap_share").rows()
    assert [row[0] for row in rows] == ["prompt-1", "prompt-1"]
    np.testing.assert_allclose([row[1] for row in rows], [parts[f"prompt-{part}"] / len(REFUND) for part in (3, 4)])
    assert state.topic_definitions["split_edit_id"].to_list() == [None, None, "edit-1", "edit-1"]
    assert state.topic_definitions["label"].to_list()[:2] == FIRST.topic_definitions["label"].to_list()
    assert state.topic_definitions["label"].is_unique().all()


def test_a_split_is_done_once_and_stays_through_runs_and_a_refit() -> None:
    state = edited(FIRST, SPLIT)
    again = edited(state, SPLIT, run_id="r3")
    assert_same(replace(again, topic_runs=state.topic_runs), state)
    anew = refitted(state, SPLIT)
    assert anew.text_topics["topic_id"].to_list() == state.text_topics["topic_id"].to_list()
    assert changes(anew, "r3") == []


def test_undoing_a_split_returns_the_texts() -> None:
    state = edited(edited(FIRST, SPLIT), run_id="r3")
    assert counts(state) == counts(FIRST)
    assert list(statuses(state).values()) == ["active", "active", "retired", "retired"]
    assert changes(state, "r3") == [("prompt-3", "merged"), ("prompt-4", "merged")]
    assert changes(edited(state, run_id="r4"), "r4") == []


def test_undoing_a_split_also_undoes_splits_of_its_parts() -> None:
    once = edited(FIRST, SPLIT)
    twice = edited(once, SPLIT, edit("split", "prompt-3", 2, parts=2), run_id="r3")
    assert "prompt-5" in counts(twice)
    state = edited(twice, run_id="r4")
    assert counts(state) == counts(FIRST)
    kept = edited(twice, edit("split", "prompt-3", 2, parts=2), run_id="r4")
    assert counts(kept).keys() == {"prompt-1", "prompt-2", "prompt-5", None}


def test_a_topic_with_fewer_texts_than_parts_stays_whole() -> None:
    state = edited(FIRST, edit("split", "prompt-2", parts=15))
    assert_same(replace(state, topic_runs=FIRST.topic_runs), FIRST)


def test_there_are_at_most_as_many_parts_as_distinct_vectors() -> None:

    vectors_of_two = np.repeat(np.eye(2, dtype=np.float32), [6, 3], axis=0)
    found = Update(measure_fit(vectors_of_two, np.full(9, 1)))
    split = apply_splits(
        found, "prompt", vectors_of_two, EMPTY.topic_definitions, EMPTY.topic_lineage,
        Edits((edit("split", "prompt-1", parts=4), edit("split", "note-1", 2, parts=2))),
    )  # fmt: skip
    assert split.assignment.topic.tolist() == [1] * 6 + [2] * 3
    assert split.split_edits == {2: "edit-1"}


MOVED = list(REFUND)[:7]
MOVED_TOPIC = pl.when(pl.col("text_id").is_in([text_id(text) for text in MOVED])).then(pl.lit("prompt-2"))
MISPLACED = replace(
    FIRST,
    text_topics=FIRST.text_topics.with_columns(
        MOVED_TOPIC.otherwise(name).alias(name) for name in ("topic_id", "found_topic_id")
    ),
)
"""A state in which the topic of some texts is not the one that the machine would find."""


def test_a_refit_corrects_topics_and_keeps_the_ids() -> None:
    assert topic_of(refitted(MISPLACED), REFUND) == {"prompt-1"}


def test_a_refit_keeps_the_texts_of_locked_topics() -> None:
    locked = refitted(MISPLACED, edit("lock", "prompt-2"))
    assert topic_of(locked, [*MOVED, *PASSWORD]) == {"prompt-2"}
    assert topic_of(locked, list(REFUND)[7:]) == {"prompt-1"}


def test_a_lock_of_another_field_has_no_effect() -> None:
    assert topic_of(refitted(MISPLACED, edit("lock", "note-2")), REFUND) == {"prompt-1"}
