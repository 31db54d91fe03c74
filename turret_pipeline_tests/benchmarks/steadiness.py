"""How steady topics are: `python -m turret_pipeline_tests.benchmarks.steadiness [--data DIR] [--cache DIR]`.

Five equal imports of a set, one after the other, beside one import of all of it and beside a new start with another
seed; and texts of five gold labels held back until the last import, which must be born as new topics.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from turret_pipeline.orchestration.resources import now
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, advance
from turret_pipeline.topics.lifecycle.topic_table import numbers_of
from turret_pipeline.topics.tracking.reconcile import Options
from turret_pipeline_tests.benchmarks.gold_sets import DATA, GoldSet, load_set, scores, topics_of_events, vectors_of_set

IMPORTS, HELD_LABELS = 5, 5


@dataclass(frozen=True)
class Case:
    """A set with its vectors."""

    found: GoldSet
    vectors: FloatArray

    def vectors_of(self, text_ids: pl.Series) -> FloatArray:
        rows = {text_id: row for row, text_id in enumerate(self.found.texts["text_id"])}
        return self.vectors[[rows[text_id] for text_id in text_ids]]

    def imports(self, parts: IntArray, options: Options) -> Iterator[TopicState]:
        """States after each import; ``parts`` has the import in which each text comes first."""
        state = TopicState.empty()
        for number in range(int(parts.max()) + 1):
            texts = self.found.texts.filter(pl.Series(parts <= number))
            state = advance(state, texts, self.vectors_of, Plan(options), Run(f"import-{number + 1}", now()))
            yield state

    def topic(self, state: TopicState) -> IntArray:
        """Number of every text's topic; NO_TOPIC where it has none or has not come yet."""
        rows = self.found.texts.select("text_id").join(
            state.text_topics, on="text_id", how="left", maintain_order="left"
        )
        return numbers_of(rows["topic_id"])

    def by_event(self, topic: IntArray) -> IntArray:
        """Topic of every event in scope."""
        return topics_of_events(self.found.in_scope, topic.tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--draws", type=int, default=5, help="draws of held-back labels")
    given = parser.parse_args()
    imports_of(_case("clinc150", given), seed=1)
    for seed in range(given.draws):
        planted(_case("banking77", given), seed)


def _case(name: str, given: argparse.Namespace) -> Case:
    found = load_set(given.data, name)
    return Case(found, vectors_of_set(found, given.cache))


def imports_of(case: Case, seed: int) -> None:
    """Print how much of the topics stays from import to import, and how the last compares with a single import."""
    parts = np.random.default_rng(seed).permutation(len(case.vectors)) % IMPORTS
    print(f"{case.found.name}: {IMPORTS} equal imports of {len(case.vectors):,} texts")
    before = np.full(len(case.vectors), NO_TOPIC)
    for number, state in enumerate(case.imports(parts, Options()), 1):
        after = case.topic(state)
        had = case.by_event(before) != NO_TOPIC
        kept = (case.by_event(after) == case.by_event(before))[had]
        share = f"{kept.mean():.4f}" if had.any() else "-"
        print(f"  import {number}: events that keep their topic id {share} (at least 0.97), {_changes(state, number)}")
        before = after
    last = scores(case.found, before.tolist())
    whole = np.zeros(len(case.vectors), dtype=np.int64)
    once, anew = (case.topic(next(case.imports(whole, replace(Options(), seed=other)))) for other in (0, 1))
    one = scores(case.found, once.tolist())
    print(f"  AMI {last.ami:.4f} after {IMPORTS} imports, {one.ami:.4f} after one (within 0.02)")
    print(f"  new start with another seed: ARI {adjusted_rand_score(once, anew):.3f} over all texts (at least 0.88)")


def _changes(state: TopicState, number: int) -> str:
    run = state.topic_runs.filter(pl.col("run_id") == f"import-{number}").row(0, named=True)
    changes = ("born", "split", "merged", "retired")
    return f"{run['topic_count']} topics, " + ", ".join(f"{run[f'{change}_count']} {change}" for change in changes)


def planted(case: Case, seed: int) -> None:
    """Print what becomes of texts of labels that come with the last import only."""
    random = np.random.default_rng(seed)
    labels = case.found.events.filter(pl.col("at").is_not_null()).unique("at", keep="first", maintain_order=True)
    label_of = dict(labels.select("at", "label").iter_rows())
    held = random.choice(sorted(set(label_of.values())), HELD_LABELS, replace=False).tolist()
    parts = random.permutation(len(case.vectors)) % IMPORTS
    is_held = np.array([label_of.get(row) in held for row in range(len(parts))])
    parts[is_held] = IMPORTS - 1
    *_, before, after = case.imports(parts, Options())
    new = set(
        after.topic_lineage.filter((pl.col("run_id") == f"import-{IMPORTS}") & (pl.col("change") == "born"))["topic_id"]
    )
    numbers = [int(topic_id.rpartition("-")[2]) for topic_id in new]
    held_events = case.found.in_scope["label"].is_in(held).to_numpy()
    topic = case.by_event(case.topic(after))
    share = np.isin(topic[held_events], numbers).mean()
    known, now_known = case.topic(before), case.topic(after)
    had = known != NO_TOPIC
    same = (known == now_known)[had].mean()
    agreement = adjusted_mutual_info_score(known[had], now_known[had])
    print(
        f"{case.found.name}: {', '.join(held)} held back: {share:.3f} of their events in {len(numbers)} born topics "
        f"(at least 0.80); {same:.4f} of the known texts keep theirs (AMI {agreement:.3f})"
    )


if __name__ == "__main__":
    main()
