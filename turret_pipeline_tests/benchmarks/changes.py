"""False claims of changed topics without any change, and detection of planted changes, beside Fisher's exact test.

    python -m turret_pipeline_tests.benchmarks.changes [--repetitions 200] [--lake DIR] [--seed 1]
    python -m turret_pipeline_tests.benchmarks.changes --repetitions 20       # takes less than 30 s, for CI

Changes are those of the comparisons "week" and "month", and claims go through select_families with both as families.
The first table has simulated events without changes (see simulated.py), and events whose days were permuted between
sessions, which removes every change but keeps users, sessions and topics. ``--lake`` adds the events of a data folder.
In the others, the weight of one topic differs in the last four of eight weeks. Fisher's exact test takes all events as
independent. Where they are, its share is what an exact test can find. As usual they are not, and it claims changes in
most runs without any, so that its share says little.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.families import select_families
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.topics.insights.occurrences import collect_occurrences
from turret_pipeline.topics.insights.periods import choose_periods, classify_changes, compare_periods, complete_weeks
from turret_pipeline_tests.benchmarks.simulated import PlantedEffect, World, simulate_occurrences

DAYS = 56
USUAL = World(days=DAYS)
INDEPENDENT = World(days=DAYS, concentration=50, day_spread=0, stay=0)
WORLDS = {
    "as usual: 60 topics, 800 users, 10,000 events": USUAL,
    "independent events": INDEPENDENT,
    "very different days": World(days=DAYS, day_spread=1),
    "users with few subjects, sessions that stay on them": World(days=DAYS, concentration=1, stay=0.8),
    "80 users, 20 topics, 1,000 events": World(days=DAYS, users=80, topics=20),
    "unknown users": World(days=DAYS, known_users=False),
}
SIZES = ((30, 1_000), (30, 10_000), (100, 1_000), (100, 10_000), (1_000, 10_000))
"""Events of the planted topic and of all topics, about."""

FACTORS = (1.5, 2.0, 4.0)
EVENTS_PER_USER = 12.5
FEW_EVENTS = 30
Tables = dict[str, pl.DataFrame]


def compare(rows: pl.DataFrame) -> Tables:
    """Changes of the topics, by comparison."""
    days = rows["event_date"]
    pairs = choose_periods(complete_weeks(days.min(), days.max()))  # type: ignore[arg-type]
    return {name: compare_periods(rows, pair.recent, pair.before) for name, pair in pairs.items() if pair}


def use_fishers_test(table: pl.DataFrame) -> pl.DataFrame:
    """The changes with p-values of Fisher's exact test (twice the smaller tail), where a p-value is known."""
    from scipy import stats

    recent, before, total, other = (
        table[f"{period}_{name}"].to_numpy() for name in ("event_count", "total") for period in ("recent", "before")
    )
    of_margins = (total + other, recent + before, total)
    tails = stats.hypergeom.cdf(recent, *of_margins), stats.hypergeom.sf(recent - 1, *of_margins)
    p_value = pl.Series("p_value", np.minimum(1, 2 * np.minimum(*tails)))
    return table.with_columns(pl.when(pl.col("p_value").is_not_null()).then(p_value).alias("p_value"))


def adjust(tables: Tables) -> list[FloatArray]:
    """Adjusted p-values of the changes, by comparison."""
    return select_families([table["p_value"].to_numpy() for table in tables.values()])


def has_claim(tables: Tables) -> bool:
    """True if any change is a claim."""
    return any((adjusted <= Q_VALUE_THRESHOLD).any() for adjusted in adjust(tables))


def find_growing(tables: Tables) -> list[str]:
    """Topics that the comparison of four weeks calls growing or new."""
    by_comparison = dict(zip(tables, adjust(tables), strict=True))
    classified = classify_changes(tables["month"], by_comparison["month"])
    return classified.filter(pl.col("change_kind").is_in(["growing", "new"]))["topic_id"].to_list()


def small_p_values(table: pl.DataFrame) -> pl.Series:
    """P-values of topics with few events, for which approximations are worst."""
    events = pl.col("recent_event_count") + pl.col("before_event_count")
    return table.filter(events <= FEW_EVENTS)["p_value"].drop_nulls()


def permute_days(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the days of sessions permuted between sessions."""
    days = rows.group_by("session_id").agg(pl.col("event_date").min()).sort("session_id")
    permuted = days.with_columns(pl.Series("event_date", rng.permutation(days["event_date"].to_numpy())))
    return rows.drop("event_date").join(permuted, on="session_id")


def planted_effect(events: int, total: int, factor: float) -> PlantedEffect:
    """Growth of the topic with about ``events`` of ``total`` events in both periods together."""
    return PlantedEffect(5, factor, days=DAYS // 2, share=2 * events / (total * (1 + factor)))


def read_lake(folder: Path) -> dict[str, pl.DataFrame]:
    """Occurrences of each text field of a data folder's lake."""
    tables = (pl.read_parquet(folder / f"{name}.parquet") for name in ("events", "event_texts", "text_topics"))
    parts = collect_occurrences(*tables).sort("event_id").partition_by("field", as_dict=True)
    return {str(field): rows for (field,), rows in parts.items()}


def print_false_claims(name: str, repetitions: int, draw: Callable[[], pl.DataFrame]) -> None:
    """Print the shares of runs with a claim, by the pipeline and by Fisher's exact test, and of small p-values."""
    started, found, p_values = time.perf_counter(), [], []
    for _ in range(repetitions):
        tables = compare(draw())
        fisher = {comparison: use_fishers_test(table) for comparison, table in tables.items()}
        found.append((has_claim(tables), has_claim(fisher)))
        p_values += [small_p_values(table) for table in tables.values()]
    ours, exact = np.mean(found, axis=0)
    raw = (pl.concat(p_values).to_numpy() <= Q_VALUE_THRESHOLD).mean()
    print(f"| {name} | {ours:.1%} | {exact:.1%} | {raw:.1%} | {time.perf_counter() - started:.0f} s |", flush=True)


def print_detection(world: World, events: int, total: int, repetitions: int, seed: int) -> None:
    """Print the shares of runs in which the planted growth is found, beside those of Fisher's exact test."""
    world = replace(world, users=round(total / EVENTS_PER_USER), topics=20 if total < 5_000 else 60)
    cells = []
    for factor in FACTORS:
        rng, found = np.random.default_rng(seed), []
        for _ in range(repetitions):
            effect = planted_effect(events, total, factor)
            tables = compare(simulate_occurrences(rng, world, growing=effect)[0])
            fisher = {comparison: use_fishers_test(table) for comparison, table in tables.items()}
            found.append([f"prompt-{effect.topic}" in find_growing(one) for one in (tables, fisher)])
        ours, exact = np.mean(found, axis=0)
        cells.append(f"{ours:.0%} / {exact:.0%}")
    print(f"| {events:,} of {total:,} | {' | '.join(cells)} |", flush=True)


def draw_world(rng: np.random.Generator, world: World) -> pl.DataFrame:
    """Occurrences without changes."""
    return simulate_occurrences(rng, world)[0]


def _null_draws(rng: np.random.Generator, lake: Mapping[str, pl.DataFrame]) -> dict[str, Callable[[], pl.DataFrame]]:
    changed, _ = simulate_occurrences(rng, USUAL, growing=planted_effect(1_000, 10_000, 4))
    rows = {
        "a topic four times larger": changed,
        **{f"field {field} of the data folder": of for field, of in lake.items()},
    }
    of_worlds = {name: partial(draw_world, rng, world) for name, world in WORLDS.items()}
    return {
        **of_worlds,
        **{f"{name}, days permuted": partial(permute_days, rng, found) for name, found in rows.items()},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--lake", type=Path, help="folder lake of a data folder, to permute its events too")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"Runs with any claim, without any change. Limit: {Q_VALUE_THRESHOLD:.0%}.\n")
    small = f"p <= 5 %, topics of up to {FEW_EVENTS} events"
    print(f"| data | runs with a claim | by Fisher's exact test | {small} | time |\n|---|---|---|---|---|", flush=True)
    rng, lake = np.random.default_rng(options.seed), read_lake(options.lake) if options.lake else {}
    for name, draw in _null_draws(rng, lake).items():
        print_false_claims(name, options.repetitions, draw)
    for title, world in {"independent events": INDEPENDENT, "events as usual": USUAL}.items():
        print(f"\nRuns in which growth over four weeks is found, {title}: by the pipeline / by Fisher's exact test.\n")
        print(f"| events of the topic | {' | '.join(f'{factor:g} times' for factor in FACTORS)} |")
        print("|---|" + "---|" * len(FACTORS), flush=True)
        for events, total in SIZES:
            print_detection(world, events, total, options.repetitions, options.seed)


if __name__ == "__main__":
    main()
