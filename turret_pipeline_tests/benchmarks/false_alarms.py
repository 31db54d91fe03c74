"""False alarms and power of is_emerging, topic_segments and topic_outcomes on simulated data, at a nominal 5 %.

    python -m turret_pipeline_tests.benchmarks.false_alarms [--repetitions 80] [--shuffles 200] [--seed 1]

In the first table nothing differs: topics, users, sessions and days are as in simulated.py, and segment values are
random for each user, session or event. A family is the topics of one text field, or all rows of its topic_segments. In
the second table the weight of one topic differs. In the last table, of topic_outcomes, topics have their places in
sessions and users their readiness for the outcome (simulated_outcomes.py), and each shuffle draws both anew.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.topics.insights.segments import topic_segments
from turret_pipeline.topics.insights.trends import topic_trends
from turret_pipeline_tests.benchmarks.simulated import PlantedEffect, World, segment_values, simulate_occurrences
from turret_pipeline_tests.benchmarks.simulated_outcomes import CLOSING, OutcomeWorld, flagged_topics

WORLDS = {
    "as usual: 60 topics, 800 users, 10,000 events": World(),
    "equal days": World(day_spread=0.0),
    "very different days": World(day_spread=1.0),
    "users with few subjects, sessions that stay on them": World(concentration=1.0, stay=0.8),
    "100 users, 20 topics": World(topics=20, users=100),
    "3,000 users, 200 topics": World(topics=200, users=3000),
    "only 14 days": World(days=14),
    "unknown users": World(known_users=False),
}
OUTCOME_WORLDS = {
    "topics with places, 1,500 sessions of 250 users": OutcomeWorld(),
    "200 sessions of 60 users": OutcomeWorld(topics=8, users=60, sessions=200),
    "20 users": OutcomeWorld(users=20),
    "users with few topics, who differ much": OutcomeWorld(spread=1.5, concentration=2.0),
    "a topic that always comes last, 3 visits per session": OutcomeWorld(closing=True, length=3),
    "outcome after one topic is 20 points likelier": OutcomeWorld(planted=0.2),
    "a topic that ends sessions of any length": OutcomeWorld(closing=True),
}
"""In the last two worlds the topic CLOSING differs."""

LARGE_DIVISOR = 3
"""The largest world gets the number of repetitions divided by this."""


@dataclass
class Tally:
    """Counts of rows and families, and of those flagged."""

    rows: int = 0
    flagged: int = 0
    families: int = 0
    alarmed: int = 0
    uncovered: int = 0
    p_values: list[pl.Series] = field(default_factory=list)

    def add(self, table: pl.DataFrame, flag: pl.Expr) -> None:
        """Count the rows of one family."""
        found = table.filter(flag).height
        self.rows += table.height
        self.flagged += found
        self.families += 1
        self.alarmed += found > 0

    def shares(self) -> str:
        """Shares of rows and of families that were flagged."""
        return f"{self.flagged / max(self.rows, 1):.4%} | {self.alarmed / max(self.families, 1):.1%}"


def default_trends(occurrences: pl.DataFrame) -> pl.DataFrame:
    """Table topic_trends with the default period of 7 days."""
    return topic_trends(occurrences, occurrences["event_date"].max(), 7)  # type: ignore[arg-type]


def random_segments(rng: np.random.Generator, occurrences: pl.DataFrame, *, by_user: bool) -> Iterator[pl.DataFrame]:
    """Random values of enum fields, the same within each session, event or user."""
    user, session = occurrences["user"].to_numpy(), occurrences["session_id"].cast(pl.Int64).to_numpy()
    units: dict[str, IntArray] = {"session": session, "event": np.arange(occurrences.height)}
    if by_user:
        units["user"] = user
    for name, unit in units.items():
        for count in (4, 30):
            weights = 1 / np.arange(1, count + 1)
            drawn = rng.choice(count, int(unit.max()) + 1, p=weights / weights.sum())
            yield segment_values(occurrences, f"{name}_{count}", drawn[unit])


def print_false_alarms(name: str, world: World, repetitions: int, seed: int) -> None:
    """Print the shares of rows and families flagged in a world without effects."""
    rng = np.random.default_rng(seed)
    trend_tally, segment_tally, started = Tally(), Tally(), time.perf_counter()
    excludes_zero = (pl.col("difference_low") > 0) | (pl.col("difference_high") < 0)
    for _ in range(repetitions // LARGE_DIVISOR if world.users > 1000 else repetitions):
        made, _ = simulate_occurrences(rng, world)
        table = default_trends(made)
        trend_tally.add(table, pl.col("is_emerging"))
        trend_tally.p_values.append(table["p_value"].drop_nulls())
        compared = topic_segments(made, pl.concat(random_segments(rng, made, by_user=world.known_users)))
        segment_tally.add(compared, pl.col("q_value") <= Q_VALUE_THRESHOLD)
        segment_tally.uncovered += compared.filter(excludes_zero).height
    p_values = pl.concat(trend_tally.p_values)
    raw = (p_values <= Q_VALUE_THRESHOLD).sum() / len(p_values)
    outside = segment_tally.uncovered / max(segment_tally.rows, 1)
    seconds = time.perf_counter() - started
    figures = f"{trend_tally.shares()} | {raw:.1%} | {segment_tally.shares()} | {outside:.1%}"
    print(f"| {name} | {trend_tally.families} | {figures} | {seconds:.0f} s |")


def print_outcomes(name: str, world: OutcomeWorld, shuffles: int, seed: int) -> None:
    """Print the shares of rows and families of topic_outcomes flagged, and that of the topic CLOSING."""
    rng, tally, of_closing = np.random.default_rng(seed), Tally(), Tally()
    for _ in range(shuffles):
        found = flagged_topics(rng, world, Q_VALUE_THRESHOLD)
        tally.add(found, pl.col("is_flagged"))
        of_closing.add(found.filter(pl.col("topic_id") == CLOSING), pl.col("is_flagged"))
    print(f"| {name} | {shuffles} | {tally.shares()} | {of_closing.alarmed / max(shuffles, 1):.1%} |")


def print_power(title: str, repetitions: int, found: Callable[[], bool]) -> None:
    """Print the share of repetitions in which a planted effect is found."""
    print(f"| {title} | {sum(found() for _ in range(repetitions)) / repetitions:.0%} |")


def finds_emerging(rng: np.random.Generator, world: World, planted: PlantedEffect) -> bool:
    """True if the planted topic is emerging."""
    made, _ = simulate_occurrences(rng, world, growing=planted)
    return (
        not default_trends(made)
        .filter(pl.col("is_emerging") & (pl.col("topic_id") == f"prompt-{planted.topic}"))
        .is_empty()
    )


def finds_segment(rng: np.random.Generator, world: World, planted: PlantedEffect) -> bool:
    """True if topic_segments has the segment of the favoured users, among random other fields."""
    made, favoured = simulate_occurrences(rng, world, favoured=planted)
    values = [
        segment_values(made, "plan", favoured[made["user"].to_numpy()]),
        *random_segments(rng, made, by_user=True),
    ]
    found = topic_segments(made, pl.concat(values)).filter(pl.col("q_value") <= Q_VALUE_THRESHOLD)
    planted_row = (pl.col("topic_id") == f"prompt-{planted.topic}") & (pl.col("segment_field") == "plan")
    return not found.filter(planted_row).is_empty()


def topic_share(world: World, topic: int) -> float:
    """Share of a topic without a planted effect."""
    weights = 1 / np.arange(1, world.topics + 1)
    return float(weights[topic] / weights.sum())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=80)
    parser.add_argument("--shuffles", type=int, default=200, help="data sets per line for topic_outcomes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"Without effects. Expected: at most {Q_VALUE_THRESHOLD:.0%} of families flagged; 5 % of intervals miss.\n")
    print("| data | runs | emerging topics | families | raw p <= 5 % | segment rows | families | missed | time |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        print_false_alarms(name, world, options.repetitions, options.seed)
    print("\n| planted effect in 10,000 events of 800 users | found |\n|---|---|")
    rng, world = np.random.default_rng(options.seed), World()
    repetitions = max(options.repetitions // 3, 1)
    for topic in (4, 19):
        for factor in (2.0, 3.0, 5.0):
            for spread in (0.2, 0.5):
                planted, days = PlantedEffect(topic, factor), replace(world, day_spread=spread)
                title = f"share {topic_share(world, topic):.1%} times {factor:.0f} in 7 days, day spread {spread}"
                print_power(title, repetitions, lambda d=days, p=planted: finds_emerging(rng, d, p))  # type: ignore[misc]
    for topic in (4, 19):
        for factor in (2.0, 3.0):
            planted = PlantedEffect(topic, factor)
            title = f"share {topic_share(world, topic):.1%} times {factor:.0f} for a quarter of the users"
            print_power(title, repetitions, lambda p=planted: finds_segment(rng, world, p))  # type: ignore[misc]
    print("\n| outcomes | shuffles | rows flagged | families | topic that closes sessions, or has an effect |")
    print("|---|---|---|---|---|")
    for name, outcome_world in OUTCOME_WORLDS.items():
        print_outcomes(name, outcome_world, options.shuffles, options.seed)


if __name__ == "__main__":
    main()
