"""Public sets with gold labels beside the checkout: their distinct texts, the vectors of these, and what is right."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from turret_pipeline.config.pipeline import DEFAULT_MODEL
from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.storage.vectors import VectorStore
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.embedding import embed_chunks, select_texts_to_embed
from turret_pipeline.topics.embedding.texts import collect_texts
from turret_pipeline_tests.commands import PROJECT

DATA = PROJECT.parent / "shared" / "data"
WITHOUT_TOPICS = {"star_dev"}
"""Sets whose gold labels are those of whole sessions, not of their turns."""


@dataclass(frozen=True)
class GoldSet:
    """``texts`` is table ``texts`` of the turns that state a topic, sorted by text_id; ``events`` one row an event:
    ``at``, the row of its text (null without one), ``label`` and ``out_of_scope``."""

    name: str
    texts: pl.DataFrame
    events: pl.DataFrame

    @property
    def in_scope(self) -> pl.DataFrame:
        """Events with a right topic."""
        return self.events.filter(~pl.col("out_of_scope"))

    @property
    def label_count(self) -> int:
        """How many topics there are by the gold labels."""
        return self.in_scope["label"].n_unique()


@dataclass(frozen=True)
class Scores:
    """Agreement with gold labels, as the project's scores are computed everywhere: by event, and the texts without a
    topic are one class. The last two are None where no text is out of scope."""

    ami: float
    ari: float
    coverage: float
    topic_count: int
    recall: float | None
    precision: float | None


def set_names(data: Path) -> list[str]:
    """Sets in the data folder whose texts have gold labels."""
    return sorted({path.name.split(".")[0] for path in (data / "gold").glob("*.jsonl.gz")} - WITHOUT_TOPICS)


def load_set(data: Path, name: str) -> GoldSet:
    """One set; turns of dialogues that state no topic by themselves are left out."""
    gold = {label["event_id"]: label for label in lines(data / "gold" / f"{name}.jsonl.gz") if label["topical"]}
    prompts = {
        event["event_id"]: event["metadata"].get("prompt")
        for event in lines(data / "events" / f"{name}.jsonl.gz")
        if event["event_id"] in gold
    }
    values = pl.LazyFrame(
        {"event_id": list(prompts), "field": "prompt", "value": list(prompts.values())},
        schema={"event_id": pl.String, "field": pl.String, "value": pl.String},
    )
    event_texts, texts = collect_texts(values.filter(pl.col("value").is_not_null()), ["prompt"])
    events = pl.DataFrame([{key: gold[event][key] for key in ("event_id", "label", "out_of_scope")} for event in gold])
    events = events.join(event_texts.select("event_id", "text_id"), on="event_id", how="left", maintain_order="left")
    rows = texts.select("text_id").with_row_index("at")
    events = events.join(rows, on="text_id", how="left", maintain_order="left")
    return GoldSet(name, texts, events.select("at", "label", "out_of_scope"))


def lines(path: Path) -> list[Mapping[str, Any]]:
    """The objects of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf8") as opened:
        return [json.loads(line) for line in opened]


def vectors_of_set(found: GoldSet, cache: Path) -> FloatArray:
    """Vectors of the set's texts by the packaged model, shape (texts, dimensions); ``cache`` keeps them."""
    store = VectorStore(cache / found.name, DEFAULT_MODEL)
    waiting = select_texts_to_embed(found.texts, store.known_ids())
    if waiting.height:
        sum(store.add(embed_chunks(waiting, load_embedder(DEFAULT_MODEL, "auto"))))
    return store.vectors_of(found.texts["text_id"])


def topics_of_events(events: pl.DataFrame, topic: Sequence[int]) -> IntArray:
    """Topic of each event from the topics of the texts."""
    by_text = np.array([*topic, NO_TOPIC])
    rows = events["at"].cast(pl.Int64).fill_null(-1).to_numpy()
    return np.asarray(by_text[rows])


def scores(found: GoldSet, topic: Sequence[int]) -> Scores:
    """How well a topic for every text, shape (texts,), agrees with the gold labels."""
    right = found.in_scope["label"].to_list()
    given = topics_of_events(found.in_scope, topic)
    out_of_scope = topics_of_events(found.events.filter("out_of_scope"), topic) == NO_TOPIC
    hits, misses = int(out_of_scope.sum()), int((given == NO_TOPIC).sum())
    return Scores(
        float(adjusted_mutual_info_score(right, given)),
        float(adjusted_rand_score(right, given)),
        float((given != NO_TOPIC).mean()),
        len(set(given[given != NO_TOPIC].tolist())),
        hits / len(out_of_scope) if len(out_of_scope) else None,
        hits / max(hits + misses, 1) if len(out_of_scope) else None,
    )
