"""Descriptions of topics."""

import numpy as np
import polars as pl

from turret_pipeline.topics.labels.labels import TopicLabel
from turret_pipeline.topics.lifecycle.descriptions import describe_topics

NAMES = [
    TopicLabel("Overdue invoice", ["invoice"], ["Overdue invoice", "Payment reminder", "Late payment"]),
    TopicLabel("Unnamed", [], []),
]
IDS = pl.Series(["prompt-1", "prompt-2"])


def previous(*descriptions: str | None) -> pl.DataFrame:
    ids = IDS.head(len(descriptions))
    return pl.DataFrame({"topic_id": ids, "description": pl.Series(descriptions, dtype=pl.String)})


def describe(known: pl.DataFrame, *counts: int, total: int = 2_000) -> list[str]:
    return describe_topics(NAMES, IDS, np.array(counts), total, known).to_list()


def test_a_description_is_phrases_and_facts() -> None:
    assert describe(previous(), 1_200, 1) == [
        "Overdue invoice | Payment reminder | Late payment. 1,200 texts, 60.0% of all.",
        "Texts without distinctive words. 1 text, 0.1% of all.",
    ]


def test_a_known_topic_keeps_its_phrases_with_the_facts_of_now() -> None:
    known = previous("Bills | Reminders. 9 texts, 90.0% of all.", "Odd ones. 1 text, 5.0% of all.")
    assert describe(known, 20, 10) == ["Bills | Reminders. 20 texts, 1.0% of all.", "Odd ones. 10 texts, 0.5% of all."]


def test_a_description_of_an_older_version_is_replaced() -> None:
    assert describe(previous("Texts about invoice, payment.", None), 20, 10)[0].startswith("Overdue invoice | ")


def test_no_topics_have_no_descriptions() -> None:
    assert describe_topics([], IDS.clear(), np.empty(0, np.int64), 0, previous()).to_list() == []
