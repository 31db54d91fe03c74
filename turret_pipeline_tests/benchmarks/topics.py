"""Topics compared with BERTopic, EVoC and Toponymy, and labels with BERTopic, on the same texts and vectors.

All methods have their defaults, and one run each.

    python -m turret_pipeline_tests.benchmarks.topics [--data ../shared/data] [--cache FOLDER] [--page] [SET ...]

Without SET: all sets of the data folder with gold labels of texts. The first table has the agreement with the gold
labels (AMI and ARI by event of the texts in scope, with unassigned texts as one class) and the resources used after
embedding. Memory is the peak above the loaded texts and vectors. A warm-up on up to 4,500 of the texts imports and
compiles (numba); it does not count as seconds. The second table has the mean cosine of the labels of topics to the
name of the gold label of most of their texts.
"""

import argparse
import importlib.util
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.embedding import Embedder, normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline_tests.benchmarks.gold_sets import (
    DATA,
    GoldSet,
    load_set,
    load_vectors,
    score_topics,
    set_names,
    topics_of_events,
)
from turret_pipeline_tests.benchmarks.topic_methods import PEERS, MethodResult, run_method
from turret_pipeline_tests.commands import PROJECT

CACHE = PROJECT / "data" / "benchmark-vectors"
PAGE_LABELS = 40
INSTALL = "Not installed and not measured: {}. Install with .venv/bin/pip install -c constraints.txt -e '.[bench]'"
TOPIC_COLUMNS = (
    "set, method, texts, gold labels, AMI, ARI, coverage, topics, out-of-scope recall, precision, seconds, warm-up, MB"
)
LABEL_COLUMNS = "set, our labels, BERTopic's labels of its topics, BERTopic's labels of our topics, difference"


def row(*cells: object) -> str:
    """One line of a table."""
    texts = (f"{cell:.3f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in cells)
    return f"| {' | '.join(texts)} |"


def header(columns: str) -> str:
    """The first two lines of a table."""
    return f"{row(*columns.split(', '))}\n|{'---|' * len(columns.split(', '))}"


def topic_row(gold: GoldSet, method: str, found: MethodResult) -> str:
    """Row of the first table."""
    score = score_topics(gold, found.topic)
    figures = (score.ami, score.ari, score.coverage, score.topic_count, score.recall, score.precision)
    resources = (f"{found.seconds:.1f}", f"{found.warm_up_seconds:.1f}", f"{found.megabytes:.0f}")
    return row(gold.name, method, gold.texts.height, gold.label_count, *figures, *resources)


def gold_label_names(gold: GoldSet, topic: Sequence[int]) -> dict[int, str]:
    """Most frequent gold label in scope of each topic, as words."""
    given = topics_of_events(gold.in_scope, topic).tolist()
    votes: dict[int, Counter[str]] = {}
    for number, label in zip(given, gold.in_scope["label"], strict=True):
        votes.setdefault(number, Counter())[label] += 1
    votes.pop(NO_TOPIC, None)
    return {number: _as_words(min(count, key=lambda label: (-count[label], label))) for number, count in votes.items()}


def _as_words(label: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).replace("_", " ").lower()


def label_score(gold: GoldSet, found: MethodResult, embed: Embedder) -> float:
    """Mean cosine of the labels of topics to the names of their gold labels."""
    names = gold_label_names(gold, found.topic)
    labels = [found.labels[number] for number in names]
    return float((normalize_rows(embed(labels)) * normalize_rows(embed(list(names.values())))).sum(axis=1).mean())


def label_row(gold: GoldSet, found: Mapping[str, MethodResult], embed: Embedder) -> str:
    """Row of the second table."""
    score = {method: label_score(gold, result, embed) for method, result in found.items() if result.labels}
    ours, theirs = score["turret"], score.get("bertopic")
    return row(gold.name, ours, theirs, score.get("bertopic_labels"), None if theirs is None else ours - theirs)


def page(gold: GoldSet, found: MethodResult) -> str:
    """Labels for a person to read: of PAGE_LABELS topics, evenly spaced from the largest to the smallest."""
    sizes = Counter(number for number in found.topic if number != NO_TOPIC)
    by_size = sorted(sizes, key=lambda number: (-sizes[number], number))
    chosen = [by_size[rank] for rank in np.unique(np.linspace(0, len(by_size) - 1, PAGE_LABELS).astype(int))]
    lines = [f"\n{gold.name}: {len(chosen)} of {len(by_size)} topics"]
    for number in chosen:
        examples = "; ".join(f'"{text[:90]}"' for text in found.examples[number][:2])
        lines.append(f"{sizes[number]:5}  {found.labels[number]}  [{found.themes[number]}]  {examples}")
    return "\n".join(lines)


def run_set(gold: GoldSet, methods: Sequence[str], cache: Path) -> dict[str, MethodResult]:
    """Results by method. Prints each row of the first table as soon as it is known."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "vectors.npy", load_vectors(gold, cache))
        gold.texts.write_parquet(folder / "texts.parquet")
        found = {}
        for method in methods:
            found[method] = run_method(method, folder)
            print(topic_row(gold, method, found[method]), flush=True)
        if "bertopic" in methods:
            given = gold.texts.with_columns(pl.Series("topic", found["turret"].topic, pl.Int64))
            given.write_parquet(folder / "texts.parquet")
            found["bertopic_labels"] = run_method("bertopic_labels", folder)
        return found


def find_peers() -> list[str]:
    """The installed packages to compare with. Prints how to install the others."""
    missing = [name for name in PEERS if importlib.util.find_spec(name) is None]
    if missing:
        print(INSTALL.format(", ".join(missing)))
    return [name for name in PEERS if name not in missing]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables, and the page of labels with option --page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SET")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for vectors, kept between runs")
    parser.add_argument("--page", action="store_true", help="print 40 labels of each set for a person to read")
    parser.add_argument("--ours", action="store_true", help="do not run other packages")
    options = parser.parse_args(arguments)
    methods = ["turret", *([] if options.ours else find_peers())]
    print(header(TOPIC_COLUMNS))
    rows, pages, embed = [], [], load_embedder(ENGLISH, "auto")
    for name in options.names or set_names(options.data):
        gold = load_set(options.data, name)
        found = run_set(gold, methods, options.cache)
        rows.append(label_row(gold, found, embed))
        pages.append(page(gold, found["turret"]))
    print("", header(LABEL_COLUMNS), *rows, *(pages if options.page else []), sep="\n")


if __name__ == "__main__":
    main()
