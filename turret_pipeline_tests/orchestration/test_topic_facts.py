"""What Dagster tells of the topics of a run."""

import polars as pl

from turret_pipeline.orchestration.assets.topics import measure_quality
from turret_pipeline_tests.topics.lifecycle.test_llm_questions import state, topic


def test_the_quality_of_active_topics_is_told_the_least_cohesive_first() -> None:
    definitions = state(
        topic(1, "Refund", [], cohesion=0.75, separation=0.5, nearest_topic_id="prompt-2"),
        topic(2, "Parcel", [], cohesion=0.5, separation=0.25, nearest_topic_id="prompt-1"),
        topic(3, "Folded", [], cohesion=None, separation=None, nearest_topic_id=None),
        topic(4, "Gone", [], status="retired", cohesion=None, separation=None, nearest_topic_id=None),
    ).topic_definitions
    facts = measure_quality(definitions)
    assert (facts["median_cohesion"], facts["median_separation"]) == (0.625, 0.375)
    loosest = facts["least_cohesive_3_topics"]
    assert isinstance(loosest, pl.DataFrame)
    assert loosest.rows() == [
        ("prompt-2", "Parcel", 0.5, 0.25, "prompt-1"),
        ("prompt-1", "Refund", 0.75, 0.5, "prompt-2"),
        ("prompt-3", "Folded", None, None, None),
    ]


def test_of_many_topics_the_twenty_least_cohesive_are_told() -> None:
    many = [topic(number, f"Label {number}", [], cohesion=1 - number / 100, separation=0.5) for number in range(1, 31)]
    loosest = measure_quality(state(*many).topic_definitions)["least_cohesive_20_topics"]
    assert isinstance(loosest, pl.DataFrame)
    assert loosest["topic_id"].to_list() == [f"prompt-{number}" for number in range(30, 10, -1)]


def test_without_topics_there_is_no_quality_to_tell() -> None:
    assert measure_quality(state().topic_definitions) == {}
