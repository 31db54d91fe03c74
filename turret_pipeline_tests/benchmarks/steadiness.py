"""Stability of topics over runs: `python -m turret_pipeline_tests.benchmarks.steadiness [--data DIR] [--cache DIR]`.

Compares five equal imports of a set, one after the other, with a single import of all texts, and that with another
seed. In a second test the texts of five gold labels come with the last import only, and must be born as new topics.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from turret_pipeline.clock import now
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.lifecycle.topic_table import parse_numbers
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.topic_id import TopicId
from turret_pipeline_tests.benchmarks.gold_sets import (
    DATA,
    GoldSet,
    load_set,
    load_vectors,
    score_topics,
    topics_of_events,
)

IMPORTS, HELD_BACK_LABELS = 5, 5


@dataclass(frozen=True)
class Case:
    """A set with its vectors."""

    gold: GoldSet
    vectors: FloatArray

    def look_up(self, text_ids: pl.Series, _model: str) -> FloatArray:
        rows = {text_id: row for row, text_id in enumerate(self.gold.texts["text_id"])}
        return self.vectors[[rows[text_id] for text_id in text_ids]]

    def imports(self, parts: IntArray, options: TopicOptions) -> Iterator[TopicState]:
        """State after each import. ``parts`` has the number of the first import of each text, from 0."""
        state = TopicState.empty()
        in_one_space = self.gold.texts.with_columns(pl.lit(None, pl.String).alias("language"))
        for number in range(int(parts.max()) + 1):
            texts = in_one_space.filter(pl.Series(parts <= number))
            state = update_topic_state(state, texts, self.look_up, Plan(options), Run(f"import-{number + 1}", now()))
            yield state

    def topic(self, state: TopicState) -> IntArray:
        """Topic number of every text, NO_TOPIC if it is unassigned or not imported yet."""
        rows = self.gold.texts.select("text_id").join(
            state.text_topics, on="text_id", how="left", maintain_order="left"
        )
        return parse_numbers(rows["topic_id"])

    def by_event(self, topic: IntArray) -> IntArray:
        """Topic number of every event in scope."""
        return topics_of_events(self.gold.in_scope, topic.tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--draws", type=int, default=5, help="number of draws of held-back labels")
    options = parser.parse_args()
    measure_imports(_load_case("clinc150", options), seed=1)
    for seed in range(options.draws):
        measure_held_back_labels(_load_case("banking77", options), seed)


def _load_case(name: str, options: argparse.Namespace) -> Case:
    gold = load_set(options.data, name)
    return Case(gold, load_vectors(gold, options.cache))


def measure_imports(case: Case, seed: int) -> None:
    """Print the share of events that keep their topic in each import, and compare the last import with a single one."""
    parts = np.random.default_rng(seed).permutation(len(case.vectors)) % IMPORTS
    print(f"{case.gold.name}: {IMPORTS} equal imports of {len(case.vectors):,} texts")
    before = np.full(len(case.vectors), NO_TOPIC)
    for number, state in enumerate(case.imports(parts, TopicOptions()), 1):
        after = case.topic(state)
        was_assigned = case.by_event(before) != NO_TOPIC
        kept = (case.by_event(after) == case.by_event(before))[was_assigned]
        share = f"{kept.mean():.4f}" if was_assigned.any() else "-"
        print(f"  import {number}: events that keep their topic id {share} (at least 0.97), {_changes(state, number)}")
        before = after
    last = score_topics(case.gold, before.tolist())
    whole = np.zeros(len(case.vectors), dtype=np.int64)
    once, anew = (case.topic(next(case.imports(whole, replace(TopicOptions(), seed=other)))) for other in (0, 1))
    one = score_topics(case.gold, once.tolist())
    print(f"  AMI {last.ami:.4f} after {IMPORTS} imports, {one.ami:.4f} after one (within 0.02)")
    print(f"  another seed: ARI {adjusted_rand_score(once, anew):.3f} over all texts (at least 0.88)")


def _changes(state: TopicState, number: int) -> str:
    run = state.topic_runs.filter(pl.col("run_id") == f"import-{number}").row(0, named=True)
    changes = ("born", "split", "merged", "retired")
    return f"{run['topic_count']} topics, " + ", ".join(f"{run[f'{change}_count']} {change}" for change in changes)


def measure_held_back_labels(case: Case, seed: int) -> None:
    """Print the topics of texts whose labels come with the last import only."""
    random = np.random.default_rng(seed)
    labels = case.gold.events.filter(pl.col("text_row").is_not_null()).unique(
        "text_row", keep="first", maintain_order=True
    )
    label_of = dict(labels.select("text_row", "label").iter_rows())
    held_back = random.choice(sorted(set(label_of.values())), HELD_BACK_LABELS, replace=False).tolist()
    parts = random.permutation(len(case.vectors)) % IMPORTS
    is_held_back = np.array([label_of.get(row) in held_back for row in range(len(parts))])
    parts[is_held_back] = IMPORTS - 1
    *_, before, after = case.imports(parts, TopicOptions())
    new = set(
        after.topic_lineage.filter((pl.col("run_id") == f"import-{IMPORTS}") & (pl.col("change") == "born"))["topic_id"]
    )
    numbers = [TopicId.parse(topic_id).number for topic_id in new]
    held_back_events = case.gold.in_scope["label"].is_in(held_back).to_numpy()
    topic = case.by_event(case.topic(after))
    share = np.isin(topic[held_back_events], numbers).mean()
    earlier, later = case.topic(before), case.topic(after)
    was_assigned = earlier != NO_TOPIC
    same = (earlier == later)[was_assigned].mean()
    agreement = adjusted_mutual_info_score(earlier[was_assigned], later[was_assigned])
    print(
        f"{case.gold.name}: {', '.join(held_back)} held back: {share:.3f} of their events in {len(numbers)} new topics "
        f"(at least 0.80); {same:.4f} of the known texts keep their topic (AMI {agreement:.3f})"
    )


if __name__ == "__main__":
    main()
