"""The topic table: quality, map positions, and labels by a person."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.embedding.texts import text_id
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline_tests.topics.lifecycle.first_run import (
    EMPTY,
    FIRST,
    INVOICE,
    NOON,
    ODD,
    PARCEL,
    PASSWORD,
    PLAN,
    REFUND,
    Vectors,
    run,
    texts,
    vectors,
)

MONEY = Edits((Edit("edit-1", "", "rename", "prompt-1", label="Money back"),))


def test_cohesion_separation_and_the_nearest_topic_are_those_of_the_vectors() -> None:
    east, north, up = np.eye(3, dtype=np.float32)
    tilted = np.array([0.8, 0.6, 0], np.float32)
    known = {"a1": ("prompt-1", east), "a2": ("prompt-1", tilted), "b1": ("prompt-2", north), "b2": ("prompt-2", north)}
    known["c1"] = ("prompt-3", up)
    words: Vectors = {word: vector for word, (_, vector) in known.items()}
    topics = pl.DataFrame(
        [("prompt", text_id(word), topic, topic) for word, (topic, _) in known.items()],
        ["field", "text_id", "topic_id", "found_topic_id"],
        orient="row",
    )
    state = update_topic_state(
        TopicState.from_tables({"text_topics": topics}), texts(words), vectors(words), PLAN, Run("r1", NOON)
    )
    measured = state.topic_definitions.select("topic_id", "cohesion", "separation", "nearest_topic_id").rows()
    apart = round(1 - 0.6 / np.sqrt(3.6), 6)  # the mean of a1 and a2 is (1.8, 0.6, 0), at length sqrt(3.6)
    assert [row[0::3] for row in measured] == [
        ("prompt-1", "prompt-2"),
        ("prompt-2", "prompt-1"),
        ("prompt-3", "prompt-1"),
    ]
    np.testing.assert_allclose([row[1:3] for row in measured], [(0.8, apart), (1, apart), (1, 1)], atol=2e-6)


def test_a_single_topic_has_no_separation() -> None:
    only = run(EMPTY, texts(REFUND)).topic_definitions.row(0, named=True)
    assert (only["separation"], only["nearest_topic_id"]) == (None, None)
    assert (only["map_x"], only["map_y"]) == (0, 0)


def test_topics_keep_their_map_position() -> None:
    second = run(FIRST, texts(REFUND, PASSWORD, ODD, PARCEL, INVOICE), "r2").topic_definitions
    assert second["map_x"].is_between(-1, 1).all()
    assert second.select("map_x", "map_y").head(2).rows() == FIRST.topic_definitions.select("map_x", "map_y").rows()
    assert second.select("map_x", "map_y").is_unique().all()


@pytest.mark.slow
def test_a_new_topic_gets_a_label_that_no_other_topic_has_or_had() -> None:
    named = Edits((Edit("edit-1", "", "rename", "prompt-2", label="Track parcel"),))
    second = run(FIRST, texts(REFUND, PASSWORD, ODD, PARCEL), "r2", replace(PLAN, edits=named)).topic_definitions
    assert second["label"].to_list()[:2] == ["Refund order", "Track parcel"]
    assert second["label"].is_unique().all()
    away = Edits((Edit("edit-1", "", "rename", "prompt-1", label="Money"),))
    money = run(run(FIRST, texts(PASSWORD), "r2", replace(PLAN, edits=away)), texts(PASSWORD), "r3")
    again = {f"{text} again": vector for text, vector in REFUND.items()}
    look_up = vectors(PASSWORD, again)
    without = replace(money, text_topics=money.text_topics.filter(pl.col("topic_id") != "prompt-1"))
    third = update_topic_state(without, texts(PASSWORD, again), look_up, replace(PLAN, edits=away), Run("r4", NOON))
    assert third.topic_definitions["topic_id"].to_list() == ["prompt-1", "prompt-2", "prompt-3"]
    assert third.topic_definitions["found_label"].is_unique().all()


def test_a_persons_name_wins_until_it_is_undone() -> None:
    renamed = run(FIRST, texts(REFUND, PASSWORD, ODD), "r2", replace(PLAN, edits=MONEY))
    first = renamed.topic_definitions.row(0, named=True)
    assert (first["label"], first["label_source"]) == ("Money back", "person")
    assert (first["found_label"], first["found_label_source"]) == ("Refund order", "keywords")
    back = run(renamed, texts(REFUND, PASSWORD, ODD), "r3").topic_definitions
    assert back.rows() == FIRST.topic_definitions.rows()


def test_a_locked_topic_is_marked() -> None:
    locked = Edits((Edit("edit-1", "", "lock", "prompt-2"),))
    second = run(FIRST, texts(REFUND, PASSWORD, ODD), "r2", replace(PLAN, edits=locked)).topic_definitions
    assert second["is_locked"].to_list() == [False, True]
