"""Correct results on public data sets. They are in a folder beside the checkout and never part of it."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from turret_pipeline.clock import now
from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.visits import collect_visits
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import CONTINUATIONS, END, EVENT_TEXTS, START, TEXT_TOPICS, TEXTS
from turret_pipeline.topics.embedding.languages import add_languages
from turret_pipeline.topics.embedding.texts import collect_texts
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline_tests.benchmarks.fields import SCORED, accuracy, select
from turret_pipeline_tests.benchmarks.gold_sets import read_lines
from turret_pipeline_tests.benchmarks.labelled_columns import load_columns, load_sortinghat
from turret_pipeline_tests.commands import PROJECT
from turret_pipeline_tests.embedded_texts import embed_texts
from turret_pipeline_tests.ingest.imports import build_lake

DATA = PROJECT.parent / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout"),
]


def ingest_set(folder: Path, name: str) -> Lake:
    """Lake with the events of a set."""
    return build_lake(folder, [DATA / "events" / f"{name}.jsonl.gz"])


@pytest.mark.parametrize("name", ["running_example", "receipt", "reviewing", "repair_example", "roadtraffic100"])
def test_directly_follows_counts_are_exact(tmp_path: Path, name: str) -> None:
    events = ingest_set(tmp_path, f"log_{name}").read("events")
    no_topics = (EVENT_TEXTS.empty(), TEXT_TOPICS.empty(), CONTINUATIONS.empty())
    edges = journey_edges(next(collect_visits(events, *no_topics, [])))
    gold = json.loads((DATA / "gold" / "dfg.json").read_text())[name]
    expected = {(source, target): count for source, target, count in gold["edges"]}
    expected |= {(START, node): count for node, count in gold["start"].items()}
    expected |= {(node, END): count for node, count in gold["end"].items()}
    rows = edges.select("from_node_id", "to_node_id", "transition_count").iter_rows()
    assert {(source, target): count for source, target, count in rows} == expected


def load_gold_types() -> dict[str, dict[str, str]]:
    """Correct types by set and field; empty without the data sets."""
    file = DATA / "gold" / "field_types.json"
    return json.loads(file.read_text()) if file.exists() else {}


@pytest.mark.parametrize("name", sorted(load_gold_types()))
def test_fields_have_the_correct_types(tmp_path: Path, name: str) -> None:
    tables = ingest_set(tmp_path, name)
    fields = describe_fields(tables.read("event_values"), tables.read("events"), {})
    found = dict(fields.select("field", "type").iter_rows())
    gold = load_gold_types()[name]
    assert {field: found[field] for field in gold} == gold


def test_columns_of_public_tables_have_the_correct_types() -> None:
    assert accuracy(select(load_columns(), SCORED)) > 0.97
    assert accuracy(select(load_sortinghat(), SCORED)) > 0.93


def find_topics(folder: Path, name: str) -> pl.DataFrame:
    """Gold labels, out_of_scope and topic_id of the events of a set, after a first run of topics."""
    tables = ingest_set(folder, name)
    event_texts, texts = collect_texts(tables.scan("event_values"), ["prompt"])
    texts = add_languages(texts, TEXTS.empty())
    look_up = embed_texts(texts, folder / "embeddings")
    state = update_topic_state(TopicState.empty(), texts, look_up, Plan(TopicOptions()), Run("r1", now()))
    topic = event_texts.join(state.text_topics, on=["field", "text_id"]).select("event_id", "topic_id")
    with gzip.open(DATA / "gold" / f"{name}.jsonl.gz", "rt") as lines:
        gold = pl.DataFrame([json.loads(line) for line in lines])
    return gold.filter(pl.col("topical") | pl.col("out_of_scope")).join(topic, on="event_id")


@pytest.mark.parametrize(
    ("name", "agreement", "coverage", "recall", "precision"),
    [("dstc11_banking", 0.68, 0.95, None, None), ("hint3_dev", 0.62, 0.94, 0.12, 0.65)],
)
def test_topics_agree_with_gold_labels(
    tmp_path: Path, name: str, agreement: float, coverage: float, recall: float | None, precision: float | None
) -> None:
    found = find_topics(tmp_path, name)
    is_out_of_scope, is_unassigned = found["out_of_scope"].to_numpy(), found["topic_id"].is_null().to_numpy()
    in_scope = found.filter(~pl.col("out_of_scope"))
    topics = in_scope["topic_id"].fill_null("none").to_list()
    assert adjusted_mutual_info_score(in_scope["label"].to_list(), topics) >= agreement
    assert 1 - is_unassigned[~is_out_of_scope].mean() >= coverage
    assert is_out_of_scope.any() == (recall is not None)
    if recall is not None:
        assert is_unassigned[is_out_of_scope].mean() >= recall
        assert is_out_of_scope[is_unassigned].mean() >= precision


def test_topics_of_several_languages_are_intents_and_not_languages(tmp_path: Path) -> None:
    gold = {row["event_id"]: row for row in read_lines(DATA / "gold" / "xsid_dev.jsonl.gz")}
    events = read_lines(DATA / "events" / "xsid_dev.jsonl.gz")
    rows = [
        (event["event_id"], "prompt", event["metadata"]["prompt"], gold[event["event_id"]]["language"])
        for event in events
    ]
    given = pl.DataFrame(rows, ["event_id", "field", "value", "spoken"], orient="row").filter(
        (pl.col("spoken") == "en") & (pl.int_range(pl.len()) % 3 == 0)
        | pl.col("spoken").is_in(["de", "ja"]) & (pl.int_range(pl.len()) % 6 == 0)
    )
    event_texts, texts = collect_texts(given.lazy(), ["prompt"])
    texts = add_languages(texts, TEXTS.empty())
    look_up = embed_texts(texts, tmp_path)
    state = update_topic_state(TopicState.empty(), texts, look_up, Plan(TopicOptions()), Run("r1", now()))
    detected = texts.select("text_id", "language")
    found = given.join(event_texts.select("event_id", "text_id"), on="event_id").join(detected, on="text_id")
    found = found.join(state.text_topics.select("text_id", "topic_id"), on="text_id")
    topics = found["topic_id"].fill_null("none").to_list()
    labels = [gold[event_id]["label"] for event_id in found["event_id"]]
    assert adjusted_mutual_info_score(labels, topics) >= 0.7
    assert adjusted_mutual_info_score(found["spoken"].to_list(), topics) <= 0.08
    assert found.filter(pl.col("spoken") == pl.col("language")).height > 0.95 * found.height
