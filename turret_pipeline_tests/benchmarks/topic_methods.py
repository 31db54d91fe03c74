"""Runs one method on one set in its own process, to measure its time and memory.

    python -m turret_pipeline_tests.benchmarks.topic_methods METHOD FOLDER

FOLDER has texts.parquet and vectors.npy. The result is written to METHOD.json there.
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

from turret_pipeline.clock import now
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.options import TopicOptions

WARM_UP_TEXTS = 4500
"""Texts of the warm-up run, which imports and compiles. Above 4,096 texts, because UMAP treats fewer differently."""


@dataclass(frozen=True)
class MethodResult:
    """Topic of every text, labels, themes and examples by topic number, and the resources used."""

    topic: list[int]
    labels: dict[int, str]
    themes: dict[int, str]
    examples: dict[int, list[str]]
    seconds: float
    warm_up_seconds: float
    megabytes: float


Topics = tuple[list[int], dict[int, str], dict[int, str], dict[int, list[str]]]
"""The first four fields of MethodResult."""

Method = Callable[[pl.DataFrame, FloatArray], Topics]
"""Finds the topics of table ``texts`` from its vectors."""


class LabeledModel(Protocol):
    """The part of a fitted BERTopic model with its labels."""

    topic_labels_: Mapping[int, str]


def run_method(method: str, folder: Path) -> MethodResult:
    """Run a method on the set in the folder, in a new process."""
    command = [sys.executable, "-m", __name__, method, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{method} failed on {folder.name}:\n{done.stderr}")
    found = json.loads((folder / f"{method}.json").read_text())
    by_number = {
        key: {int(number): value for number, value in found[key].items()} for key in ("labels", "themes", "examples")
    }
    return MethodResult(**{**found, **by_number})


def turret(texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """Topics, labels, themes and examples by this package, with default options."""
    rows = {text_id: row for row, text_id in enumerate(texts["text_id"])}

    def look_up(text_ids: pl.Series, _model: str) -> FloatArray:
        return vectors[[rows[text_id] for text_id in text_ids]]

    texts = texts.with_columns(pl.lit(None, pl.String).alias("language"))  # the vectors are in one space already
    state = update_topic_state(TopicState.empty(), texts, look_up, Plan(TopicOptions()), Run("benchmark", now()))
    number = pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64)
    topics = state.topic_definitions.with_columns(number.alias("number"))
    label, theme, examples = (
        dict(topics.select("number", key).iter_rows()) for key in ("label", "theme_label", "example_texts")
    )
    given = texts.select("text_id").join(state.text_topics, on="text_id", how="left", maintain_order="left")
    return given.select(number.fill_null(NO_TOPIC))["topic_id"].to_list(), label, theme, examples


def bertopic(texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """Topics and labels by BERTopic with its defaults, from the same vectors."""
    model = importlib.import_module("bertopic").BERTopic()
    topic, _ = model.fit_transform(texts["text"].to_list(), vectors)
    return [int(number) for number in topic], _plain_labels(model), {}, {}


def evoc(_texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """Topics by EVoC with its defaults."""
    topic = importlib.import_module("evoc").EVoC(random_state=0).fit_predict(vectors)
    return [int(number) for number in topic], {}, {}, {}


def toponymy(_texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """The finest layer of topics by Toponymy with its defaults, on the two dimensions by UMAP that it recommends.

    It labels topics with an LLM only, so none are labelled here.
    """
    reduced = importlib.import_module("umap").UMAP(metric="cosine", random_state=0).fit_transform(vectors)
    found = importlib.import_module("toponymy").ToponymyClusterer(verbose=False).fit(reduced, vectors)
    return [int(number) for number in found.cluster_layers_[0].cluster_labels], {}, {}, {}


def bertopic_labels(texts: pl.DataFrame, vectors: FloatArray) -> Topics:
    """Labels by BERTopic, with its defaults, of the topics in column ``topic``."""
    given = texts["topic"].to_numpy()
    whole = importlib.import_module("bertopic")
    parts = {name: importlib.import_module(f"bertopic.{name}") for name in ("cluster", "dimensionality", "backend")}
    model = whole.BERTopic(
        embedding_model=parts["backend"].BaseEmbedder(),
        umap_model=parts["dimensionality"].BaseDimensionalityReduction(),
        hdbscan_model=parts["cluster"].BaseCluster(),
    )
    model.fit_transform(texts["text"].to_list(), vectors, y=given)
    by_number = _plain_labels(model)
    labels = {
        int(ours): by_number[theirs] for ours, theirs in zip(given, model.topics_, strict=True) if ours != NO_TOPIC
    }
    return given.tolist(), labels, {}, {}


def _plain_labels(model: LabeledModel) -> dict[int, str]:
    """BERTopic's labels as words: 0_card_lost_my_stolen becomes card lost my stolen."""
    return {
        int(number): " ".join(name.split("_")[1:]) for number, name in model.topic_labels_.items() if number != NO_TOPIC
    }


METHODS: dict[str, Method] = {
    "turret": turret,
    "bertopic": bertopic,
    "evoc": evoc,
    "toponymy": toponymy,
    "bertopic_labels": bertopic_labels,
}
PEERS = ("bertopic", "evoc", "toponymy")
"""Methods of other packages, by the name of the package."""


def measure_method(method: Method, texts: pl.DataFrame, vectors: FloatArray) -> MethodResult:
    """Result of a method on all texts, after a warm-up run on a sample."""
    loaded = _megabytes_in_use()
    sample = np.sort(np.random.default_rng(0).permutation(len(vectors))[:WARM_UP_TEXTS])
    started = time.perf_counter()
    method(texts[sample.tolist()], vectors[sample])
    warmed_up = time.perf_counter()
    found = method(texts, vectors)
    ended = time.perf_counter()
    return MethodResult(*found, ended - warmed_up, warmed_up - started, _peak_megabytes() - loaded)


def _megabytes_in_use() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_megabytes() -> float:
    """Peak memory of this process. The resource module would report the parent's peak if that is larger."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1e6


def main(arguments: Sequence[str]) -> None:
    """Write the result of a method."""
    method, folder = arguments[0], Path(arguments[1])
    found = measure_method(METHODS[method], pl.read_parquet(folder / "texts.parquet"), np.load(folder / "vectors.npy"))
    (folder / f"{method}.json").write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
