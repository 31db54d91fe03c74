"""One method on one set, in a process of its own, so that its seconds and memory are its own.

    python -m turret_pipeline_tests.benchmarks.topic_methods METHOD FOLDER

FOLDER has texts.parquet and vectors.npy; METHOD.json is written there.
"""

import importlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from turret_pipeline.orchestration.resources import now
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, advance
from turret_pipeline.topics.tracking.reconcile import Options

TRIAL_TEXTS = 4500
"""Texts of the trial run that compiles and imports what is needed: UMAP goes another way up to 4,096."""


@dataclass(frozen=True)
class Found:
    """Topic of every text, what the topics are called by their number, and what it took."""

    topic: list[int]
    labels: dict[int, str]
    themes: dict[int, str]
    examples: dict[int, list[str]]
    seconds: float
    trial_seconds: float
    megabytes: float


Topics = tuple[list[int], dict[int, str], dict[int, str], dict[int, list[str]]]
"""The first four values of Found."""

Method = Callable[[pl.DataFrame, FloatArray], Topics]
"""Table ``texts`` and vectors to the topics of the texts."""


class NamedTopics(Protocol):
    """The part of a fitted BERTopic model that tells its names."""

    topic_labels_: Mapping[int, str]


def run_method(method: str, folder: Path) -> Found:
    """Run a method on the folder's set in a new process."""
    command = [sys.executable, "-m", __name__, method, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{method} failed on {folder.name}:\n{done.stderr}")
    found = json.loads((folder / f"{method}.json").read_text())
    by_number = {key: {int(at): value for at, value in found[key].items()} for key in ("labels", "themes", "examples")}
    return Found(**{**found, **by_number})


def turret(texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """Ours with the defaults: topics, names, themes, examples."""
    rows = {text_id: row for row, text_id in enumerate(texts["text_id"])}

    def vectors_of(text_ids: pl.Series) -> FloatArray:
        return vectors[[rows[text_id] for text_id in text_ids]]

    state = advance(TopicState.empty(), texts, vectors_of, Plan(Options()), Run("benchmark", now()))
    number = pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64)
    topics = state.topic_definitions.with_columns(number.alias("number"))
    label, theme, examples = (
        dict(topics.select("number", key).iter_rows()) for key in ("label", "theme_label", "example_texts")
    )
    given = texts.select("text_id").join(state.text_topics, on="text_id", how="left", maintain_order="left")
    return given.select(number.fill_null(NO_TOPIC))["topic_id"].to_list(), label, theme, examples


def bertopic(texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """BERTopic's defaults on our vectors."""
    model = importlib.import_module("bertopic").BERTopic()
    topic, _ = model.fit_transform(texts["text"].to_list(), vectors)
    return [int(number) for number in topic], _plain_labels(model), {}, {}


def bertopic_names(texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """BERTopic's default names of topics that are given, in column ``topic``."""
    given = texts["topic"].to_numpy()
    whole = importlib.import_module("bertopic")
    parts = {name: importlib.import_module(f"bertopic.{name}") for name in ("cluster", "dimensionality", "backend")}
    model = whole.BERTopic(
        embedding_model=parts["backend"].BaseEmbedder(),
        umap_model=parts["dimensionality"].BaseDimensionalityReduction(),
        hdbscan_model=parts["cluster"].BaseCluster(),
    )
    model.fit_transform(texts["text"].to_list(), vectors, y=given)
    names = _plain_labels(model)
    labels = {int(ours): names[theirs] for ours, theirs in zip(given, model.topics_, strict=True) if ours != NO_TOPIC}
    return given.tolist(), labels, {}, {}


def _plain_labels(model: NamedTopics) -> dict[int, str]:
    """Names such as 0_card_lost_my_stolen, as kindly as they can be read: card lost my stolen."""
    return {
        int(number): " ".join(name.split("_")[1:]) for number, name in model.topic_labels_.items() if number != NO_TOPIC
    }


METHODS: dict[str, Method] = {"turret": turret, "bertopic": bertopic, "bertopic_names": bertopic_names}


def measured(method: Method, texts: pl.DataFrame, vectors: FloatArray) -> Found:
    """Run a method on a sample, then on everything."""
    loaded = _megabytes_in_use()
    sample = np.sort(np.random.default_rng(0).permutation(len(vectors))[:TRIAL_TEXTS])
    started = time.perf_counter()
    method(texts[sample.tolist()], vectors[sample])
    tried = time.perf_counter()
    found = method(texts, vectors)
    ended = time.perf_counter()
    return Found(*found, ended - tried, tried - started, _peak_megabytes() - loaded)


def _megabytes_in_use() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_megabytes() -> float:
    """Most memory this process had; the resource module would tell that of the process that started it, if larger."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1e6


def main(arguments: Sequence[str]) -> None:
    """Write what a method found and what it took."""
    method, folder = arguments[0], Path(arguments[1])
    found = measured(METHODS[method], pl.read_parquet(folder / "texts.parquet"), np.load(folder / "vectors.npy"))
    (folder / f"{method}.json").write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
