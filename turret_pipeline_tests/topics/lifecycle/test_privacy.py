"""Suppression of topics with too few users."""

import datetime as dt
from dataclasses import replace

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.tables import EVENT_TEXTS, TEXT_TOPICS, TOPIC_DEFINITIONS, TOPIC_LINEAGE, TOPIC_RUNS
from turret_pipeline.topics.lifecycle.privacy import recount_topic_runs, suppress_small_topics, users_of_texts
from turret_pipeline.topics.lifecycle.state import TopicState

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


Row = dict[str, object]


def definition(topic_id: str, label: str, status: str = "active", nearest: str | None = None) -> Row:
    field = topic_id.split("-", maxsplit=1)[0]
    return {
        "topic_id": topic_id,
        "field": field,
        "label": label,
        "label_source": "keywords",
        "description": "About it.",
        "keywords": ["a"],
        "example_texts": ["text"],
        "theme_id": f"{field}-theme-1",
        "theme_label": "Theme",
        "status": status,
        "is_locked": False,
        "role": "continuation",
        "role_reason": "Opens none.",
        "nearest_topic_id": nearest,
    }


def state(definitions: list[Row], texts: list[tuple[object, ...]], lineage: list[tuple[object, ...]]) -> TopicState:
    return TopicState(
        pl.DataFrame(definitions, TOPIC_DEFINITIONS.schema),
        pl.DataFrame([("prompt", *row, row[1], "model") for row in texts], TEXT_TOPICS.schema, orient="row"),
        pl.DataFrame([("r1", NOON, "prompt", *row) for row in lineage], TOPIC_LINEAGE.schema, orient="row"),
        TOPIC_RUNS.empty(),
    )


def users(**of_text: str) -> pl.DataFrame:
    rows = [("prompt", text, user) for text, names in of_text.items() for user in names]
    return pl.DataFrame(rows, {"field": pl.String, "text_id": pl.String, "user_id": pl.String}, orient="row")


STATE = state(
    [
        definition("prompt-1", "Big", nearest="prompt-2"),
        definition("prompt-2", "Secret"),
        definition("prompt-3", "Hidden"),
        definition("prompt-4", "Gone", "retired"),
    ],
    [
        ("t1", "prompt-1", 0.9, "prompt-2", 0.3),
        ("t2", "prompt-2", 0.8, "prompt-1", 0.4),
        ("t3", "prompt-3", 0.7, "prompt-2", 0.5),
        ("t4", None, 0.2, "prompt-3", 0.1),
        ("t5", "prompt-4", 0.6, None, None),
    ],
    [
        ("prompt-1", "born", None, None),
        ("prompt-2", "born", None, None),
        ("prompt-4", "retired", None, None),
        ("prompt-1", "merged", "prompt-4", 0.5),
    ],
)  # fmt: skip


def test_small_topics_become_one_topic_without_label_keywords_or_examples() -> None:
    disclosed = suppress_small_topics(STATE, users(t1="abc", t2="ab", t3="cd", t4="e"), 3)
    assert disclosed.topic_definitions.select(
        "topic_id", "label", "keywords", "example_texts", "theme_id", "status"
    ).rows() == [
        ("prompt-1", "Big", ["a"], ["text"], "prompt-theme-1", "active"),
        ("prompt-other", "Other", [], [], "prompt-theme-other", "active"),
    ]
    assert disclosed.topic_definitions["nearest_topic_id"].to_list() == [None, None]
    assert disclosed.topic_definitions["role"].to_list() == ["continuation", "subject"]
    assert disclosed.text_topics["found_topic_id"].to_list() == disclosed.text_topics["topic_id"].to_list()
    assert disclosed.text_topics.drop("field", "found_topic_id", "embedding_model").rows() == [
        ("t1", "prompt-1", 0.9, "prompt-other", None),
        ("t2", "prompt-other", None, "prompt-1", 0.4),
        ("t3", "prompt-other", None, None, None),
        ("t4", None, 0.2, "prompt-other", None),
        ("t5", None, None, None, None),
    ]
    assert disclosed.topic_lineage.select("topic_id", "change", "other_topic_id", "overlap_share").rows() == [
        ("prompt-1", "born", None, None),
        ("prompt-1", "merged", None, None),
    ]


def test_texts_of_small_topics_with_too_few_users_together_are_unassigned() -> None:
    disclosed = suppress_small_topics(STATE, users(t1="abcde", t2="ab", t3="ab"), 3)
    assert disclosed.topic_definitions["topic_id"].to_list() == ["prompt-1"]
    assert disclosed.text_topics["topic_id"].to_list() == ["prompt-1", None, None, None, None]
    assert disclosed.text_topics["runner_up_topic_id"].to_list() == [None, "prompt-1", None, None, None]


def test_events_without_a_user_do_not_count() -> None:
    disclosed = suppress_small_topics(STATE, users(), 2)
    assert disclosed.topic_definitions.is_empty()
    assert disclosed.text_topics["topic_id"].null_count() == 5
    assert disclosed.topic_definitions.schema == TOPIC_DEFINITIONS.schema


def test_other_gets_a_free_label() -> None:
    named = state([definition("prompt-1", "Other"), definition("prompt-2", "B"), definition("prompt-3", "C")], [
        ("t1", "prompt-1", 0.9, None, None),
        ("t2", "prompt-2", 0.9, None, None),
        ("t3", "prompt-3", 0.9, None, None),
    ], [])  # fmt: skip
    disclosed = suppress_small_topics(named, users(t1="ab", t2="a", t3="b"), 2)
    assert disclosed.topic_definitions["label"].to_list() == ["Other", "Other 2"]


def test_a_threshold_of_1_suppresses_nothing() -> None:
    assert suppress_small_topics(STATE, users(), 1) is STATE


def test_an_empty_state_stays_empty() -> None:
    empty = TopicState.empty()
    disclosed = suppress_small_topics(empty, users(), 5)
    for table in TopicState.tables():
        assert_frame_equal(getattr(disclosed, table), getattr(empty, table))


def runs(*rows: Row) -> pl.DataFrame:
    """Rows of topic_runs with the counts before suppression, unless given."""
    counted = {"started_at": NOON, "field": "prompt", "text_count": 5, "topic_count": 3, "theme_count": 2}
    changed = {f"{change}_count": 9 for change in ("born", "split", "merged", "retired", "revived", "renamed")}
    return pl.DataFrame([counted | {"coverage": 0.8} | changed | row for row in rows], TOPIC_RUNS.schema)


COUNTS = ("run_id", "topic_count", "theme_count", "coverage", "born_count", "merged_count", "retired_count", "note")
TEXTS = STATE.text_topics.select("field", "text_id").head(4)  # t5 is gone


def test_runs_count_disclosed_topics() -> None:
    lineage = pl.concat([STATE.topic_lineage, STATE.topic_lineage.head(2).with_columns(pl.lit("r2").alias("run_id"))])
    given = replace(STATE, topic_lineage=lineage, topic_runs=runs({"run_id": "r1"}, {"run_id": "r2"}))
    disclosed = suppress_small_topics(given, users(t1="abc", t2="ab", t3="cd", t4="e"), 3)
    counted = recount_topic_runs(disclosed, TEXTS, "r2", 3).topic_runs
    assert counted.select(COUNTS).rows() == [
        ("r1", 3, 2, 0.8, 1, 1, 0, None),  # changes of prompt-2 and prompt-4 are suppressed
        ("r2", 2, 2, 0.75, 1, 0, 0, None),
    ]
    assert counted.schema == TOPIC_RUNS.schema


def test_a_run_notes_that_all_topics_are_suppressed() -> None:
    given = runs(
        {"run_id": "r1"},
        {"run_id": "r1", "field": "mail", "note": "60% of the events are copies."},
        {"run_id": "r1", "field": "note", "topic_count": 0, "note": "Too few."},
    )
    state_before = replace(STATE, topic_runs=given)
    disclosed = suppress_small_topics(state_before, users(), 2)
    counted = recount_topic_runs(disclosed, TEXTS, "r1", 2).topic_runs
    suppressed = "All topics are suppressed: each has fewer than 2 users (setting privacy_min_users)."
    assert counted.select(COUNTS).rows() == [
        ("r1", 0, 0, 0, 0, 0, 0, suppressed),
        ("r1", 0, 0, None, 0, 0, 0, suppressed),
        ("r1", 0, 0, None, 0, 0, 0, "Too few."),
    ]


def test_an_empty_state_counts_nothing() -> None:
    assert recount_topic_runs(TopicState.empty(), TEXTS.clear(), "r1", 1).topic_runs.rows() == []


def test_users_of_texts_are_distinct_and_not_null() -> None:
    events = pl.DataFrame({"event_id": ["e1", "e2", "e3", "e4"], "user_id": ["a", "a", None, "b"]})
    texts = pl.DataFrame(
        [("e1", "prompt", "t1"), ("e2", "prompt", "t1"), ("e3", "prompt", "t2"), ("e4", "prompt", None)],
        EVENT_TEXTS.schema,
        orient="row",
    )
    assert users_of_texts(events, texts).rows() == [("prompt", "t1", "a")]
