"""Public data sets with gold labels, in a folder beside the checkout: their texts, vectors and scores."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.tables import TEXTS
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.languages import add_languages
from turret_pipeline.topics.embedding.model_names import AUTO
from turret_pipeline.topics.embedding.readers import plan_reading, read_vectors
from turret_pipeline.topics.embedding.texts import collect_texts
from turret_pipeline_tests.commands import PROJECT
from turret_pipeline_tests.embedded_texts import embed_texts

DATA = PROJECT.parent / "shared" / "data"
SESSION_LABELED = {"star_dev"}
"""Sets with gold labels of whole sessions instead of turns."""


@dataclass(frozen=True)
class GoldSet:
    """A set: ``texts`` is table ``texts`` of the turns that state a topic, sorted by text_id.

    ``events`` has one row per event: ``text_row`` (row of its text, null without a text), ``label``, ``out_of_scope``.
    """

    name: str
    texts: pl.DataFrame
    events: pl.DataFrame

    @property
    def in_scope(self) -> pl.DataFrame:
        """Events with a gold label in scope."""
        return self.events.filter(~pl.col("out_of_scope"))

    @property
    def label_count(self) -> int:
        """Number of gold labels in scope."""
        return self.in_scope["label"].n_unique()


@dataclass(frozen=True)
class Scores:
    """Agreement with the gold labels, by event; unassigned texts are one class.

    ``recall`` and ``precision`` of the texts out of scope are None if there are none.
    """

    ami: float
    ari: float
    coverage: float
    topic_count: int
    recall: float | None
    precision: float | None


def set_names(data: Path) -> list[str]:
    """Names of the sets in the data folder with gold labels of texts."""
    return sorted({path.name.split(".")[0] for path in (data / "gold").glob("*.jsonl.gz")} - SESSION_LABELED)


def load_set(data: Path, name: str) -> GoldSet:
    """Load a set without the turns of dialogues that do not state a topic. Texts that no model reads have no row."""
    gold = {label["event_id"]: label for label in read_lines(data / "gold" / f"{name}.jsonl.gz") if label["topical"]}
    prompts = {
        event["event_id"]: event["metadata"].get("prompt")
        for event in read_lines(data / "events" / f"{name}.jsonl.gz")
        if event["event_id"] in gold
    }
    values = pl.LazyFrame(
        {"event_id": list(prompts), "field": "prompt", "value": list(prompts.values())},
        schema={"event_id": pl.String, "field": pl.String, "value": pl.String},
    )
    event_texts, texts = collect_texts(values.filter(pl.col("value").is_not_null()), ["prompt"])
    texts = add_languages(texts, TEXTS.empty())
    texts = texts.filter(pl.Series(plan_reading(texts["language"], AUTO).is_read))
    events = pl.DataFrame([{key: gold[event][key] for key in ("event_id", "label", "out_of_scope")} for event in gold])
    events = events.join(event_texts.select("event_id", "text_id"), on="event_id", how="left", maintain_order="left")
    rows = texts.select("text_id").with_row_index("text_row")
    events = events.join(rows, on="text_id", how="left", maintain_order="left")
    return GoldSet(name, texts, events.select("text_row", "label", "out_of_scope"))


def read_lines(path: Path) -> list[Mapping[str, Any]]:
    """Objects of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf8") as opened:
        return [json.loads(line) for line in opened]


def load_vectors(gold: GoldSet, cache: Path) -> FloatArray:
    """Vectors of the set's texts by the packaged models, shape (texts, dimensions), stored in folder ``cache``."""
    look_up = embed_texts(gold.texts, cache / gold.name)
    return read_vectors(gold.texts["text_id"], plan_reading(gold.texts["language"], AUTO), look_up)


def topics_of_events(events: pl.DataFrame, topic: Sequence[int]) -> IntArray:
    """Topic of every event, from the topics of the texts."""
    by_text = np.array([*topic, NO_TOPIC])
    rows = events["text_row"].cast(pl.Int64).fill_null(-1).to_numpy()
    return np.asarray(by_text[rows])


def score_topics(gold: GoldSet, topic: Sequence[int]) -> Scores:
    """Agreement of the topics of the texts, shape (texts,), with the gold labels."""
    gold_labels = gold.in_scope["label"].to_list()
    given = topics_of_events(gold.in_scope, topic)
    out_of_scope = topics_of_events(gold.events.filter("out_of_scope"), topic) == NO_TOPIC
    hits, misses = int(out_of_scope.sum()), int((given == NO_TOPIC).sum())
    return Scores(
        float(adjusted_mutual_info_score(gold_labels, given)),
        float(adjusted_rand_score(gold_labels, given)),
        float((given != NO_TOPIC).mean()),
        len(set(given[given != NO_TOPIC].tolist())),
        hits / len(out_of_scope) if len(out_of_scope) else None,
        hits / max(hits + misses, 1) if len(out_of_scope) else None,
    )
