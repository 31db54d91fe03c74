"""Our topics and their labels beside BERTopic's defaults: same texts, same vectors, one run.

    python -m turret_pipeline_tests.benchmarks.topics [--data ../shared/data] [--cache FOLDER] [--page] [SET ...]

Without SET: every set of the data folder whose texts have gold labels. First table: agreement with the gold labels
(AMI and ARI by event of the texts in scope, those without a topic as one class), and what a method takes once texts are
embedded. Memory is the peak above the loaded texts and vectors. The trial on up to 4,500 of the texts imports and
compiles (numba), and is not part of the seconds. Second table: cosine of each topic's label to the name of the gold
label that most of its texts have, averaged over topics.
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

from turret_pipeline.config.pipeline import DEFAULT_MODEL
from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.embedding import Embedder, normalize_rows
from turret_pipeline_tests.benchmarks.gold_sets import (
    DATA,
    GoldSet,
    load_set,
    scores,
    set_names,
    topics_of_events,
    vectors_of_set,
)
from turret_pipeline_tests.benchmarks.topic_methods import Found, run_method
from turret_pipeline_tests.commands import PROJECT

CACHE = PROJECT / "data" / "benchmark-vectors"
PAGE_LABELS = 40
INSTALL = "BERTopic is not installed, so only ours is measured: .venv/bin/pip install -c constraints.txt -e '.[bench]'"
TOPIC_COLUMNS = (
    "set, method, texts, gold labels, AMI, ARI, coverage, topics, out-of-scope recall, precision, seconds, trial, MB"
)
LABEL_COLUMNS = "set, our labels, BERTopic's labels of its topics, BERTopic's labels of our topics, ours ahead by"


def row(*cells: object) -> str:
    """One line of a table."""
    shown = (f"{cell:.3f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in cells)
    return f"| {' | '.join(shown)} |"


def header(columns: str) -> str:
    """The first two lines of a table."""
    return f"{row(*columns.split(', '))}\n|{'---|' * len(columns.split(', '))}"


def topic_row(gold: GoldSet, method: str, found: Found) -> str:
    """Line of the first table."""
    score = scores(gold, found.topic)
    figures = (score.ami, score.ari, score.coverage, score.topic_count, score.recall, score.precision)
    taken = (f"{found.seconds:.1f}", f"{found.trial_seconds:.1f}", f"{found.megabytes:.0f}")
    return row(gold.name, method, gold.texts.height, gold.label_count, *figures, *taken)


def gold_names(gold: GoldSet, topic: Sequence[int]) -> dict[int, str]:
    """Name of the commonest gold label in scope of each topic, as words."""
    given = topics_of_events(gold.in_scope, topic).tolist()
    votes: dict[int, Counter[str]] = {}
    for number, label in zip(given, gold.in_scope["label"], strict=True):
        votes.setdefault(number, Counter())[label] += 1
    votes.pop(NO_TOPIC, None)
    return {number: _as_words(min(count, key=lambda label: (-count[label], label))) for number, count in votes.items()}


def _as_words(label: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).replace("_", " ").lower()


def label_score(gold: GoldSet, found: Found, embed: Embedder) -> float:
    """Mean cosine of a topic's label to the name of its gold label."""
    names = gold_names(gold, found.topic)
    labels = [found.labels[number] for number in names]
    return float((normalize_rows(embed(labels)) * normalize_rows(embed(list(names.values())))).sum(axis=1).mean())


def label_row(gold: GoldSet, found: Mapping[str, Found], embed: Embedder) -> str:
    """Line of the second table."""
    score = {method: label_score(gold, by_method, embed) for method, by_method in found.items()}
    ours, theirs = score["turret"], score.get("bertopic")
    return row(gold.name, ours, theirs, score.get("bertopic_names"), None if theirs is None else ours - theirs)


def page(gold: GoldSet, found: Found) -> str:
    """Labels to be read: of so many topics, evenly chosen from the largest to the smallest."""
    sizes = Counter(number for number in found.topic if number != NO_TOPIC)
    by_size = sorted(sizes, key=lambda number: (-sizes[number], number))
    chosen = [by_size[at] for at in np.unique(np.linspace(0, len(by_size) - 1, PAGE_LABELS).astype(int))]
    lines = [f"\n{gold.name}: {len(chosen)} of {len(by_size)} topics"]
    for number in chosen:
        examples = "; ".join(f'"{text[:90]}"' for text in found.examples[number][:2])
        lines.append(f"{sizes[number]:5}  {found.labels[number]}  [{found.themes[number]}]  {examples}")
    return "\n".join(lines)


def run_set(gold: GoldSet, methods: Sequence[str], cache: Path) -> dict[str, Found]:
    """What each method finds; prints its line of the first table as soon as it is there."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / "vectors.npy", vectors_of_set(gold, cache))
        gold.texts.write_parquet(folder / "texts.parquet")
        found = {}
        for method in methods:
            found[method] = run_method(method, folder)
            print(topic_row(gold, method, found[method]), flush=True)
        if "bertopic" in methods:
            given = gold.texts.with_columns(pl.Series("topic", found["turret"].topic, pl.Int64))
            given.write_parquet(folder / "texts.parquet")
            found["bertopic_names"] = run_method("bertopic_names", folder)
        return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables, and the page of labels where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SET")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps vectors between runs")
    parser.add_argument("--page", action="store_true", help="print 40 labels of each set, to be read")
    parser.add_argument("--ours", action="store_true", help="leave BERTopic out")
    options = parser.parse_args(arguments)
    installed = importlib.util.find_spec("bertopic") is not None
    if not installed and not options.ours:
        print(INSTALL)
    methods = ["turret", "bertopic"] if installed and not options.ours else ["turret"]
    print(header(TOPIC_COLUMNS))
    rows, pages, embed = [], [], load_embedder(DEFAULT_MODEL, "auto")
    for name in options.names or set_names(options.data):
        gold = load_set(options.data, name)
        found = run_set(gold, methods, options.cache)
        rows.append(label_row(gold, found, embed))
        pages.append(page(gold, found["turret"]))
    print("", header(LABEL_COLUMNS), *rows, *(pages if options.page else []), sep="\n")


if __name__ == "__main__":
    main()
