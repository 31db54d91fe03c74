"""False alarms and power of journey_struggles on simulated sessions, at a nominal 5 %.

    python -m turret_pipeline_tests.benchmarks.simulated_struggles [--shuffles 200] [--seed 1]

Sessions are those of journey_simulation.py: users may have a chain of their own. Whether an exchange goes wrong depends
on its topic and its user, and in two lines on the moves that are hard for its user, but no move is hard for all. So
each data set with a q-value of 0.05 or less is a false alarm. In the last two lines, exchanges after one move go wrong
more often.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from turret_pipeline.journeys.struggles import journey_struggles
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline_tests.benchmarks.journey_simulation import World, draw_chain, simulate_visits

SOURCE, TARGET = "n0", "n1"
"""The move after which exchanges go wrong more often, if an effect is planted."""


@dataclass(frozen=True)
class StruggleWorld:
    """Settings of the simulation. At larger ``spread``, users differ more in how often their exchanges go wrong."""

    sessions: World = field(default_factory=World)
    spread: float = 0.0
    move_spread: float = 0.0
    """At larger values, each user has moves of their own after which exchanges go wrong."""

    share: float = 0.15
    """Share of the exchanges that go wrong, at a usual topic and user."""

    planted: float = 0.0
    """What is added to the chance after the move from SOURCE to TARGET."""


WORLDS = {
    "1,000 sessions of 250 users, 8 topics": StruggleWorld(),
    "users differ much": StruggleWorld(World(taste=3.0), spread=1.5),
    "20 users": StruggleWorld(World(users=20), spread=0.5),
    "20 users, who differ much": StruggleWorld(World(users=20, taste=3.0), spread=1.5),
    "20 users with hard moves of their own": StruggleWorld(World(users=20), spread=0.5, move_spread=1.5),
    "250 users with hard moves of their own": StruggleWorld(World(sessions=3000), spread=0.5, move_spread=1.5),
    "100 sessions of 25 users": StruggleWorld(World(sessions=100, users=25), spread=0.5),
    "30 topics": StruggleWorld(World(nodes=30), spread=0.5),
    "30 topics, few exchanges go wrong": StruggleWorld(World(nodes=30), spread=0.5, share=0.03),
    "half of the exchanges go wrong": StruggleWorld(spread=1.5, share=0.5),
    "after one move, 20 points more": StruggleWorld(spread=0.5, planted=0.2),
    "after one move, 40 points more": StruggleWorld(spread=0.5, planted=0.4),
}


def simulate_struggles(rng: np.random.Generator, world: StruggleWorld) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The visits, and the exchanges that went wrong or not, as ``journey_struggles`` takes them."""
    visits = simulate_visits(rng, world.sessions, draw_chain(rng, world.sessions))
    node, user = (
        visits[name].cast(pl.String).str.slice(1).cast(pl.Int64).to_numpy() for name in ("node_id", "user_id")
    )
    usual = np.log(world.share / (1 - world.share))
    hardness = rng.normal(usual, 0.5, world.sessions.nodes)
    proneness = rng.normal(0, world.spread, world.sessions.users)
    is_next = np.r_[False, (visits["sequence_id"] == visits["sequence_id"].shift()).to_numpy()[1:]]
    source = np.where(is_next, np.roll(node, 1), world.sessions.nodes)
    of_move = rng.normal(0, world.move_spread, (world.sessions.users, world.sessions.nodes + 1))
    chance = 1 / (1 + np.exp(-hardness[node] - proneness[user] - of_move[user, source]))
    is_planted = (source == int(SOURCE[1:])) & (node == int(TARGET[1:]))
    is_struggle = rng.random(len(node)) < chance + world.planted * is_planted
    return visits, visits.select("position", pl.Series("is_struggle", is_struggle))


def find_alarms(rng: np.random.Generator, world: StruggleWorld) -> pl.DataFrame:
    """The rows of ``journey_struggles`` of one simulated data set, with ``is_planted`` and ``is_flagged``."""
    found = journey_struggles(*simulate_struggles(rng, world))
    is_planted = (pl.col("from_node_id") == SOURCE) & (pl.col("to_node_id") == TARGET)
    is_flagged = pl.col("q_value") <= Q_VALUE_THRESHOLD
    return found.with_columns(is_planted.alias("is_planted"), is_flagged.alias("is_flagged"))


def share_of_alarms(rng: np.random.Generator, world: StruggleWorld, shuffles: int) -> tuple[float, float, float]:
    """Shares of rows that are flagged, of data sets with such a row, and of data sets whose planted move is flagged."""
    tables = [find_alarms(rng, world) for _ in range(shuffles)]
    rows = pl.concat(tables)["is_flagged"].to_numpy()
    families = [table["is_flagged"].any() for table in tables]
    planted = [table.filter("is_planted")["is_flagged"].any() for table in tables]
    return float(rows.mean()), float(np.mean(families)), float(np.mean(planted))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shuffles", type=int, default=200, help="data sets per line")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print("| sessions | data sets | rows flagged | data sets flagged | planted move found | time |")
    print("|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        started = time.perf_counter()
        rows, families, planted = share_of_alarms(np.random.default_rng(options.seed), world, options.shuffles)
        found = f"{planted:.0%}" if world.planted else ""
        seconds = time.perf_counter() - started
        print(f"| {name} | {options.shuffles} | {rows:.2%} | {families:.1%} | {found} | {seconds:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
