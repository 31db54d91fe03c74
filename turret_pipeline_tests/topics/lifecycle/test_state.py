"""Topics from run to run, as tables."""

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.tables import TEXT_TOPICS, TEXTS, TOPIC_LINEAGE
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import STATE_TABLES, TopicState, update_topic_state
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
    assert_same,
    changes,
    make_texts,
    run,
    statuses,
    texts,
    topic_of,
    vectors,
)


def without_texts(state: TopicState) -> TopicState:
    """The state with all texts unassigned."""
    return replace(state, text_topics=TEXT_TOPICS.empty())


def test_the_first_run_finds_topics_and_names_them() -> None:
    assert topic_of(FIRST, REFUND) == {"prompt-1"}
    assert topic_of(FIRST, PASSWORD) == {"prompt-2"}
    assert topic_of(FIRST, ODD) == {None}
    refund = FIRST.topic_definitions.row(0, named=True)
    assert refund["label"] == "Refund order"
    assert refund["description"].startswith("Refund order | ")
    assert refund["description"].endswith(". 20 texts, 50.0% of all.")
    assert (refund["field"], refund["label_source"], refund["status"]) == ("prompt", "keywords", "active")
    assert len(refund["example_texts"]) == 5
    assert set(refund["example_texts"]) <= set(REFUND)


def test_every_birth_is_in_the_lineage() -> None:
    expected = pl.DataFrame(
        [("r1", NOON, "prompt", topic, "born", None, None) for topic in ("prompt-1", "prompt-2")],
        TOPIC_LINEAGE.schema,
        orient="row",
    )
    assert_frame_equal(FIRST.topic_lineage, expected)


def test_the_tables_have_their_schemas() -> None:
    for state in (EMPTY, FIRST, run(FIRST, TEXTS.empty()), run(EMPTY, TEXTS.empty())):
        for name, table in STATE_TABLES.items():
            assert getattr(state, name).schema == table.schema


def test_the_order_of_the_texts_changes_nothing() -> None:
    given = texts(REFUND, PASSWORD, ODD)
    for order in (given.reverse(), given.sample(fraction=1, shuffle=True, seed=8)):
        assert_same(run(EMPTY, order), FIRST)


def test_a_run_without_anything_new_changes_nothing() -> None:
    second = run(FIRST, texts(REFUND, PASSWORD, ODD), "r2")
    assert_same(replace(second, topic_runs=FIRST.topic_runs), FIRST)
    now = second.topic_runs.row(1, named=True)
    assert (now["run_id"], now["kept_share"], now["born_count"], now["stability"]) == ("r2", 1.0, 0, 1.0)


def test_known_texts_keep_their_topic_and_its_label_when_new_ones_come() -> None:
    more = make_texts("refund order again", 30, first=0, seed=7)
    look_up = vectors(REFUND, PASSWORD, ODD, more)
    second = update_topic_state(FIRST, texts(REFUND, PASSWORD, ODD, more), look_up, PLAN, Run("r2", NOON))
    assert topic_of(second, [*REFUND, *more]) == {"prompt-1"}
    assert topic_of(second, PASSWORD) == {"prompt-2"}
    assert second.topic_definitions["label"].to_list() == FIRST.topic_definitions["label"].to_list()
    assert changes(second, "r2") == []


def test_dense_clusters_of_new_texts_become_new_topics_with_a_birth() -> None:
    second = run(FIRST, texts(REFUND, PASSWORD, ODD, PARCEL, INVOICE), "r2")
    assert topic_of(second, REFUND) == {"prompt-1"}
    assert topic_of(second, PASSWORD) == {"prompt-2"}
    assert topic_of(second, PARCEL) == {"prompt-3"}
    assert topic_of(second, INVOICE) == {"prompt-4"}
    assert changes(second, "r2") == [("prompt-3", "born"), ("prompt-4", "born")]


def test_a_topic_without_texts_is_retired_and_keeps_its_label() -> None:
    second = run(FIRST, texts(REFUND), "r2")
    assert statuses(second) == {"prompt-1": "active", "prompt-2": "retired"}
    assert changes(second, "r2") == [("prompt-2", "retired")]
    kept = ["label", "theme_id", "theme_label", "keywords", "description"]
    assert second.topic_definitions.select(kept).row(1) == FIRST.topic_definitions.select(kept).row(1)
    assert second.topic_definitions["example_texts"].to_list()[1] == []
    assert changes(run(second, texts(REFUND), "r3"), "r3") == []


def test_topics_of_a_missing_field_are_retired() -> None:
    second = run(FIRST, TEXTS.empty(), "r2")
    assert statuses(second) == {"prompt-1": "retired", "prompt-2": "retired"}
    assert_frame_equal(second.text_topics, FIRST.text_topics)
    assert changes(second, "r2") == [("prompt-1", "retired"), ("prompt-2", "retired")]


def test_a_topic_that_has_texts_again_is_revived() -> None:
    gone = run(FIRST, texts(REFUND), "r2")
    back = replace(gone, text_topics=FIRST.text_topics)
    third = run(back, texts(REFUND, PASSWORD, ODD), "r3")
    assert statuses(third) == {"prompt-1": "active", "prompt-2": "active"}
    assert changes(third, "r3") == [("prompt-2", "revived")]


def test_a_topic_whose_own_texts_come_back_is_revived() -> None:
    gone = run(FIRST, texts(REFUND), "r2")
    third = run(gone, texts(REFUND, PASSWORD), "r3")
    assert topic_of(third, PASSWORD) == {"prompt-2"}
    assert changes(third, "r3") == [("prompt-2", "revived")]


def test_ids_are_never_reused() -> None:
    anew = run(without_texts(FIRST), texts(REFUND, PASSWORD, ODD), "r2")
    assert topic_of(anew, REFUND) == {"prompt-3"}
    assert topic_of(anew, PASSWORD) == {"prompt-4"}
    assert changes(anew, "r2") == [
        ("prompt-1", "retired"),
        ("prompt-2", "retired"),
        ("prompt-3", "born"),
        ("prompt-4", "born"),
    ]
    gone = run(anew, TEXTS.empty(), "r3")
    assert topic_of(run(gone, texts(PARCEL, INVOICE), "r4"), PARCEL) == {"prompt-5"}


@pytest.mark.slow
def test_fields_have_topics_of_their_own() -> None:
    both = pl.concat([texts(REFUND, PASSWORD), texts(PASSWORD, PARCEL, field="note")])
    state = run(EMPTY, both)
    assert topic_of(state, PASSWORD) == {"prompt-2"}
    assert topic_of(state, PASSWORD, "note") == {"note-2"}
    assert state.topic_definitions["topic_id"].to_list() == ["note-1", "note-2", "prompt-1", "prompt-2"]
    alone = state.of_field("prompt")
    for table in TopicState.tables():
        assert getattr(alone, table)["field"].unique().to_list() == ["prompt"]
        assert getattr(alone, table).height > 0


def test_themes_belong_to_their_field_and_stay() -> None:
    assert FIRST.topic_definitions["theme_id"].to_list() == ["prompt-theme-1"] * 2
    anew = run(FIRST, texts(REFUND, PASSWORD, ODD, PARCEL), "r2")
    theme = anew.topic_definitions.filter(pl.col("topic_id") == "prompt-1")
    assert theme.select("theme_id", "theme_label").rows() == (
        FIRST.topic_definitions[:1].select("theme_id", "theme_label").rows()
    )


def test_similarities_are_cosines_or_null() -> None:
    found = FIRST.text_topics
    assert found.filter(pl.col("topic_id").is_not_null())["similarity"].is_between(0.7, 1.000001).all()
    assert found["runner_up_topic_id"].is_in(["prompt-1", "prompt-2"]).all()
    single = run(EMPTY, texts(dict(list(REFUND.items())[:1])))
    assert single.text_topics.drop("field", "text_id").rows() == [(None,) * 5 + (ENGLISH,)]


def test_labels_stay_unique_in_a_field_from_run_to_run() -> None:
    cancel = (
        make_texts("cancel phone", 9, 4) | make_texts("phone cancel", 9, 4, seed=1) | make_texts("cancel", 3, 4, seed=2)
    )
    others = [make_texts("delete", 20, 5), make_texts("upgrade", 20, 6)]
    rivals = make_texts("cancel", 14, 7, seed=3, noise=0.03), make_texts("cancel phone", 6, 7, seed=4, noise=0.03)
    again = {f"{text} again": vector for rival in rivals for text, vector in rival.items()}
    newer = make_texts("renew", 15, 8, noise=0.03)
    look_up = vectors(REFUND, PASSWORD, ODD, cancel, *others, again, newer)
    before = texts(REFUND, PASSWORD, ODD, cancel, *others)
    first = update_topic_state(EMPTY, before, look_up, PLAN, Run("r1", NOON))
    after = pl.concat([before, texts(again, newer)])
    second = update_topic_state(first, after, look_up, PLAN, Run("r2", NOON))
    labels = second.topic_definitions["label"].to_list()
    assert len(labels) > first.topic_definitions.height
    assert len(set(labels)) == len(labels)


def test_topics_found_anew_have_new_ids_and_unique_labels() -> None:
    anew = run(without_texts(FIRST), texts(REFUND, PASSWORD, ODD), "r2")
    assert statuses(anew) == {"prompt-1": "retired", "prompt-2": "retired", "prompt-3": "active", "prompt-4": "active"}
    assert anew.topic_definitions["label"].is_unique().all()
    assert anew.topic_definitions.unique(["theme_id", "theme_label"])["theme_label"].is_unique().all()


def test_a_label_by_an_llm_stays_with_its_description() -> None:
    is_refund = pl.col("topic_id") == "prompt-1"
    by_llm = {"label": "Money back", "label_source": "llm", "description": "People want their money back."}
    found = {"found_label": "Money back", "found_label_source": "llm"}
    definitions = FIRST.topic_definitions.with_columns(
        pl.when(is_refund).then(pl.lit(value)).otherwise(name).alias(name) for name, value in (by_llm | found).items()
    )
    named = replace(FIRST, topic_definitions=definitions)
    more = run(named, texts(REFUND, PASSWORD, ODD, PARCEL), "r2")
    assert more.topic_definitions.filter(is_refund).select(*by_llm).row(0, named=True) == by_llm
    assert more.topic_definitions["label_source"].to_list() == ["llm", "keywords", "keywords"]
    gone = run(more, texts(PASSWORD), "r3")
    back = run(gone, texts(REFUND, PASSWORD), "r4")
    for state in (gone, back):
        assert state.topic_definitions.filter(is_refund).select(*by_llm).row(0, named=True) == by_llm


def test_tables_of_an_older_version_are_read() -> None:
    """These are tables without the columns for edits, the map and runs."""
    old_columns = ["topic_id", "field", "label", "label_source", "description", "keywords", "example_texts"]
    old = {
        "topic_definitions": FIRST.topic_definitions.select(*old_columns, "theme_id", "theme_label", "status"),
        "text_topics": FIRST.text_topics.drop("found_topic_id", "embedding_model"),
        "topic_lineage": FIRST.topic_lineage,
    }
    state = TopicState.from_tables(old)
    for name, table in STATE_TABLES.items():
        assert getattr(state, name).schema == table.schema
    assert_frame_equal(state.text_topics.drop("embedding_model"), FIRST.text_topics.drop("embedding_model"))
    given = state.topic_definitions.select("found_label", "found_label_source", "is_locked", "map_x").rows()
    labels = FIRST.topic_definitions["label"]
    assert given == [(labels[0], "keywords", False, None), (labels[1], "keywords", False, None)]
    second = run(state, texts(REFUND, PASSWORD, ODD), "r2")
    assert_same(replace(second, topic_runs=FIRST.topic_runs), FIRST)


def test_without_tables_the_state_is_empty() -> None:
    assert_same(TopicState.from_tables({}), EMPTY)
