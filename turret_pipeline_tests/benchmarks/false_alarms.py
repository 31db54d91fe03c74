"""False alarms and power of is_emerging and topic_segments on made-up data, beside the stated level of 5 %.

    python -m turret_pipeline_tests.benchmarks.false_alarms [--repetitions 80] [--seed 1]

Nothing differs in the first tables: topics, users, sessions and days are as in simulated.py, and segment values are
drawn by lot for each user, session or event. A family is what one person reads: a text field's topics, or all rows of
its topic_segments. In the last tables one topic's weight is planted to differ.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.insights.segments import topic_segments
from turret_pipeline.topics.insights.trends import topic_trends
from turret_pipeline_tests.benchmarks.simulated import Planted, World, occurrences, segment

LEVEL = 0.05
WORLDS = {
    "as usual: 60 topics, 800 users, 10,000 events": World(),
    "days alike": World(day_spread=0.0),
    "restless days": World(day_spread=1.0),
    "users of few subjects, sessions that stay": World(concentration=1.0, stay=0.8),
    "100 users, 20 topics": World(topics=20, users=100),
    "3,000 users, 200 topics": World(topics=200, users=3000),
    "only 14 days": World(days=14),
    "users not known": World(known_users=False),
}
SLOWER = 3
"""The largest world is simulated so many times less often."""


@dataclass
class Tally:
    """Rows and families looked at, and those flagged."""

    rows: int = 0
    flagged: int = 0
    families: int = 0
    alarmed: int = 0
    uncovered: int = 0
    p_values: list[pl.Series] = field(default_factory=list)

    def add(self, table: pl.DataFrame, flag: pl.Expr) -> None:
        """Count one family."""
        found = table.filter(flag).height
        self.rows += table.height
        self.flagged += found
        self.families += 1
        self.alarmed += found > 0

    def shares(self) -> str:
        """Share of rows and of families that were flagged."""
        return f"{self.flagged / max(self.rows, 1):.4%} | {self.alarmed / max(self.families, 1):.1%}"


def trends(made: pl.DataFrame) -> pl.DataFrame:
    """Table topic_trends at the default of 7 days."""
    return topic_trends(made, made["event_date"].max(), 7)  # type: ignore[arg-type]


def lots(rng: np.random.Generator, made: pl.DataFrame, *, by_user: bool) -> Iterator[pl.DataFrame]:
    """Values of enum fields drawn by lot for each session or event, and for each user."""
    user, session = made["user"].to_numpy(), made["session_id"].cast(pl.Int64).to_numpy()
    units: dict[str, IntArray] = {"session": session, "event": np.arange(made.height)}
    if by_user:
        units["user"] = user
    for name, unit in units.items():
        for count in (4, 30):
            weights = 1 / np.arange(1, count + 1)
            drawn = rng.choice(count, int(unit.max()) + 1, p=weights / weights.sum())
            yield segment(made, f"{name}_{count}", drawn[unit])


def null(name: str, world: World, repetitions: int, seed: int) -> None:
    """Print how often something is flagged where nothing differs."""
    rng = np.random.default_rng(seed)
    grown, differ, started = Tally(), Tally(), time.perf_counter()
    is_off = (pl.col("difference_low") > 0) | (pl.col("difference_high") < 0)
    for _ in range(repetitions // SLOWER if world.users > 1000 else repetitions):
        made, _ = occurrences(rng, world)
        table = trends(made)
        grown.add(table, pl.col("is_emerging"))
        grown.p_values.append(table["p_value"].drop_nulls())
        compared = topic_segments(made, pl.concat(lots(rng, made, by_user=world.known_users)))
        differ.add(compared, pl.col("q_value") <= LEVEL)
        differ.uncovered += compared.filter(is_off).height
    p_values = pl.concat(grown.p_values)
    raw = (p_values <= LEVEL).sum() / len(p_values)
    outside = differ.uncovered / max(differ.rows, 1)
    seconds = time.perf_counter() - started
    figures = f"{grown.shares()} | {raw:.1%} | {differ.shares()} | {outside:.1%}"
    print(f"| {name} | {grown.families} | {figures} | {seconds:.0f} s |")


def power(title: str, repetitions: int, found: Callable[[], bool]) -> None:
    """Print how often something planted is found."""
    print(f"| {title} | {sum(found() for _ in range(repetitions)) / repetitions:.0%} |")


def emerging_found(rng: np.random.Generator, world: World, planted: Planted) -> bool:
    """Whether the planted topic is emerging."""
    made, _ = occurrences(rng, world, growing=planted)
    return not trends(made).filter(pl.col("is_emerging") & (pl.col("topic_id") == f"prompt-{planted.topic}")).is_empty()


def segment_found(rng: np.random.Generator, world: World, planted: Planted) -> bool:
    """Whether the segment of users that favour the planted topic is told, among five other fields drawn by lot."""
    made, favoured = occurrences(rng, world, favoured=planted)
    values = [segment(made, "plan", favoured[made["user"].to_numpy()]), *lots(rng, made, by_user=True)]
    found = topic_segments(made, pl.concat(values)).filter(pl.col("q_value") <= LEVEL)
    planted_row = (pl.col("topic_id") == f"prompt-{planted.topic}") & (pl.col("segment_field") == "plan")
    return not found.filter(planted_row).is_empty()


def share_of(world: World, topic: int) -> float:
    """Share of a topic where nothing is planted."""
    weights = 1 / np.arange(1, world.topics + 1)
    return float(weights[topic] / weights.sum())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"Nothing differs. Stated: at most {LEVEL:.0%} of families with a flag; intervals miss in 5 % of the rows.\n")
    print("| data | runs | emerging topics | families | raw p <= 5 % | segment rows | families | missed | time |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        null(name, world, options.repetitions, options.seed)
    print("\n| planted in 10,000 events of 800 users | found |\n|---|---|")
    rng, world = np.random.default_rng(options.seed), World()
    repetitions = max(options.repetitions // 3, 1)
    for topic in (4, 19):
        for factor in (2.0, 3.0, 5.0):
            for spread in (0.2, 0.5):
                planted, days = Planted(topic, factor), replace(world, day_spread=spread)
                title = f"share {share_of(world, topic):.1%} times {factor:.0f} in 7 days, days differ by {spread}"
                power(title, repetitions, lambda d=days, p=planted: emerging_found(rng, d, p))  # type: ignore[misc]
    for topic in (4, 19):
        for factor in (2.0, 3.0):
            planted = Planted(topic, factor)
            title = f"share {share_of(world, topic):.1%} times {factor:.0f} for a quarter of the users"
            power(title, repetitions, lambda p=planted: segment_found(rng, world, p))  # type: ignore[misc]


if __name__ == "__main__":
    main()
