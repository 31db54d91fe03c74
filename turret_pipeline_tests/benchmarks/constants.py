"""Effect of each constant of topic discovery on the agreement with gold labels, if it is moved by a fifth.

    python -m turret_pipeline_tests.benchmarks.constants [--data DIR] [--cache DIR] [--draws 3] [--jobs N] [SET ...]

Without SET: all sets of the data folder with gold labels of texts. Constants are found by introspection: the numbers of
the modules that decide which topics are found from vectors (DECIDING), and the defaults of ``TopicOptions``. Counts
move by at least 1. Of a large set, SAMPLE texts are used. The table has a row for each constant and direction: the
change of the mean AMI over all sets, and the set with the largest change. AMI is the mean over draws of seed and noise.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.near_duplicates import group_near_duplicates
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.grouped_update import update_topics_of_groups
from turret_pipeline_tests.benchmarks.gold_sets import DATA, GoldSet, load_set, load_vectors, score_topics, set_names
from turret_pipeline_tests.benchmarks.perturbations import NOISE, add_noise, select_texts
from turret_pipeline_tests.benchmarks.topics import CACHE, header, row

SAMPLE = 4_000
FIFTH = 0.2
LIMIT = 0.005
PACKAGE = "turret_pipeline.topics."
OPTIONS = "options.TopicOptions"
DECIDING = ("clustering", "tracking", "embedding.near_duplicates", "embedding.person_names", "embedding.embedding")
MARKERS = ("NO_TOPIC", "NOT_FOUND", "NOT_FOUND_SIMILARITY")
"""Names of values that mark a missing result, and decide nothing."""
COLUMNS = "constant, value, moved to, change of mean AMI, largest change, on set"

Value = float | tuple[float, ...]
Loaded = tuple[GoldSet, FloatArray]


@dataclass(frozen=True)
class Constant:
    """A number, or several, that topic discovery depends on. ``owner`` is its module, or OPTIONS."""

    owner: str
    name: str
    value: Value

    def move(self, factor: float) -> Value:
        """The value times ``factor``. A count moves by at least 1."""
        if isinstance(self.value, tuple):
            return tuple(_move(each, factor) for each in self.value)
        return _move(self.value, factor)


def find_constants() -> list[Constant]:
    """Constants of the modules that decide which topics are found, and defaults of the options."""
    prefixes = tuple(PACKAGE + name for name in DECIDING)
    modules = sorted((name, module) for name, module in sys.modules.items() if name.startswith(prefixes))
    found = [
        Constant(name.removeprefix(PACKAGE), key, value) for name, module in modules for key, value in _numbers(module)
    ]
    options = TopicOptions()
    names = [each.name for each in fields(options) if each.name != "seed"]
    return [*found, *(Constant(OPTIONS, name, getattr(options, name)) for name in names)]


def move_constant(constant: Constant, value: Value) -> TopicOptions:
    """Options for a run with the constant at ``value``. In all modules that import the constant, it is replaced."""
    if constant.owner == OPTIONS:
        return TopicOptions(**{constant.name: value})  # type: ignore[arg-type]
    defined = getattr(sys.modules[PACKAGE + constant.owner], constant.name)
    for name, module in list(sys.modules.items()):
        if name.startswith(PACKAGE) and getattr(module, constant.name, None) is defined:
            setattr(module, constant.name, value)
    return TopicOptions()


def measure_ami(change: tuple[Constant, Value] | None, loaded: Sequence[Loaded], draws: int) -> list[float]:
    """AMI of each set with a constant changed, the mean over the draws. Only for a process of its own."""
    options = TopicOptions() if change is None else move_constant(*change)
    return [float(np.mean([_score(gold, vectors, options, draw) for draw in range(draws)])) for gold, vectors in loaded]


def _score(gold: GoldSet, vectors: FloatArray, options: TopicOptions, draw: int) -> float:
    noisy, unknown = add_noise(vectors, NOISE, draw), np.full(len(vectors), NO_TOPIC)
    group = group_near_duplicates(gold.texts["text"].to_list(), noisy)
    found = update_topics_of_groups(noisy, group, unknown, 1, replace(options, seed=draw))
    return score_topics(gold, found.assignment.topic.tolist()).ami


def _move(value: float, factor: float) -> float:
    if not isinstance(value, int):
        return value * factor
    moved = round(value * factor)
    return moved if moved != value else value + (1 if factor > 1 else -1)


def _numbers(module: ModuleType) -> Iterator[tuple[str, Value]]:
    """Names and values of the numbers that a module assigns at its top level."""
    source = Path(str(module.__file__)).read_text(encoding="utf8")
    assigned = {
        name for line in re.findall(r"^([A-Z][A-Z0-9_, ]*) = ", source, re.MULTILINE) for name in line.split(", ")
    }
    for name, value in vars(module).items():
        numbers = value if isinstance(value, tuple) else (value,)
        if name in assigned - set(MARKERS) and all(isinstance(number, int | float) for number in numbers):
            yield name, value


def load_sample(data: Path, cache: Path, name: str) -> Loaded:
    """A set, or SAMPLE of its texts, and the vectors of the texts."""
    gold = load_set(data, name)
    vectors = load_vectors(gold, cache)
    rows = np.sort(np.random.default_rng(0).permutation(len(vectors))[:SAMPLE])
    return select_texts(gold, rows), vectors[rows]


def print_table(
    names: Sequence[str], changes: Sequence[tuple[Constant, Value]], measure: Callable[..., Iterator[list[float]]]
) -> None:
    """Print a row for each change as soon as it is measured, and how many change the mean AMI too much."""
    results = measure([None, *changes])
    base = np.array(next(results))
    print(row(*("set", *names)), row(*("AMI", *base.tolist())), f"\n{header(COLUMNS)}", sep="\n")
    sensitive = 0
    for (constant, value), ami in zip(changes, results, strict=True):
        difference = np.array(ami) - base
        most = int(np.abs(difference).argmax())
        sensitive += abs(difference.mean()) > LIMIT
        cells = (constant.value, value, f"{difference.mean():+.4f}", f"{difference[most]:+.4f}", names[most])
        print(row(f"{constant.owner}.{constant.name}", *(str(cell) for cell in cells)), flush=True)
    print(f"\n{sensitive} of {len(changes)} changes move the mean AMI by more than {LIMIT}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps vectors between runs")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    names = options.sets or set_names(options.data)
    loaded = [load_sample(options.data, options.cache, name) for name in names]
    changes = [(each, each.move(1 + sign * FIFTH)) for each in find_constants() for sign in (-1, 1)]
    with ProcessPoolExecutor(options.jobs, max_tasks_per_child=1) as pool:
        print_table(names, changes, partial(pool.map, partial(measure_ami, loaded=loaded, draws=options.draws)))


if __name__ == "__main__":
    main()
