"""Coverage of the intervals of journeys, and false alarms of their comparisons, on simulated sessions.

    python -m turret_pipeline_tests.benchmarks.journey_simulation [--repetitions 100] [--families 400] [--seed 1]

Sessions follow a known Markov chain: 93 to 97 % of the 95 % intervals should contain the probability. Then users
differ: each has a chain drawn around the common one. Finally, two segments are assigned at random to users, sessions or
events, so that nothing differs: at most 5 % of families (all rows of a dimension's journey_segments, or of a field's
topic_outcomes) should have a q-value of 0.05 or less. If all nodes are alike and only users differ, at most 5 % of data
sets should have a node with a significant drop-off.
"""

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.facts import FACT_TABLES, journey_facts
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.journeys.outcomes import topic_outcomes
from turret_pipeline.journeys.segments import journey_segments
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline_tests.journeys.rows import NOON

MAX_Q_VALUE = 0.05
BINS = (0, 1, 2, 5, 10, 20, 50, 100, 1_000, 1_000_000)


@dataclass(frozen=True)
class World:
    """Parameters of simulated sessions.

    ``taste`` is the concentration of the users' chains around the common chain; at 0 all users follow the common chain.
    """

    nodes: int = 8
    sessions: int = 1000
    users: int = 250
    taste: float = 0.0
    end: float = 0.2


WORLDS = {
    "8 nodes, 1,000 sessions": World(),
    "8 nodes, 100 sessions of 25 users": World(sessions=100, users=25),
    "30 nodes, 1,000 sessions": World(nodes=30),
    "60 nodes, 5,000 sessions": World(nodes=60, sessions=5000, users=1000),
    "8 nodes, 1,000 sessions of 20 users": World(users=20),
}
TASTES = {
    "users differ somewhat": 20.0,
    "users differ much": 3.0,
}


@dataclass(frozen=True)
class Chain:
    """Transition probabilities: ``starts``, shape (nodes,), and ``moves``, shape (nodes, nodes + 1), the end last."""

    starts: FloatArray
    moves: FloatArray


def draw_chain(rng: np.random.Generator, world: World) -> Chain:
    """A chain with common and rare edges, the mean of the chains of users."""
    inner = rng.dirichlet(np.full(world.nodes, 0.5), world.nodes) * (1 - world.end)
    return Chain(rng.dirichlet(np.full(world.nodes, 0.5)), np.c_[inner, np.full(world.nodes, world.end)])


def simulate_visits(rng: np.random.Generator, world: World, known: Chain) -> pl.DataFrame:
    """Visits of sessions that follow the chain, or with ``taste`` the chain of their user."""
    starts = np.repeat(known.starts[None], world.users, axis=0)
    moves = np.repeat(known.moves[None], world.users, axis=0)
    if world.taste:
        starts, moves = (_draw_around(rng, world.taste, mean) for mean in (starts, moves))
    user = np.sort(rng.integers(0, world.users, world.sessions))
    at, session = _draw_choices(rng, starts[user]), np.arange(world.sessions)
    steps: list[tuple[IntArray, IntArray]] = []
    while len(session):
        steps.append((session, at))
        following = _draw_choices(rng, moves[user[session], at])
        is_active = following < world.nodes
        session, at = session[is_active], following[is_active]
    number = np.concatenate([np.full(len(one), step) for step, (one, _) in enumerate(steps)])
    drawn = pl.DataFrame(
        {"session": np.concatenate([one for one, _ in steps]), "node": np.concatenate([one for _, one in steps])}
    ).with_columns(pl.Series("step", number))
    return drawn.sort("session", "step").select(
        pl.lit("prompt").alias("dimension"),
        _name("s", pl.col("session")).alias("sequence_id"),
        _name("u", pl.lit(pl.Series(user)).gather(pl.col("session"))).alias("user_id"),
        _name("n", pl.col("node")).alias("node_id"),
        (pl.lit(NOON) + pl.duration(seconds="step")).cast(pl.Datetime("us", "UTC")).alias("event_at"),
        pl.int_range(pl.len()).alias("position"),
    )


def _population_chain(rng: np.random.Generator, world: World, known: Chain, users: int = 10_000) -> Chain:
    """The chain of all transitions of many users: users who visit a node more often have more weight on it."""
    if not world.taste:
        return known
    starts, moves = (
        _draw_around(rng, world.taste, np.repeat(mean[None], users, axis=0)) for mean in (known.starts, known.moves)
    )
    inner = np.eye(world.nodes) - moves[:, :, :-1]
    visits = np.linalg.solve(inner.transpose(0, 2, 1), starts[:, :, None])
    left = (visits * moves).sum(axis=0)
    return Chain(starts.mean(axis=0), left / left.sum(axis=1, keepdims=True))


def _name(letter: str, number: pl.Expr) -> pl.Expr:
    return pl.lit(letter) + number.cast(pl.String)


def _draw_around(rng: np.random.Generator, concentration: float, mean: FloatArray) -> FloatArray:
    drawn = rng.standard_gamma(np.maximum(concentration * mean, 1e-3))
    return np.asarray(drawn / drawn.sum(axis=-1, keepdims=True))


def _draw_choices(rng: np.random.Generator, chances: FloatArray) -> IntArray:
    bounds = np.cumsum(chances, axis=1)
    return np.asarray((rng.random((len(chances), 1)) * bounds[:, -1:] > bounds).sum(axis=1))


def check_intervals(visits: pl.DataFrame, known: Chain) -> pl.DataFrame:
    """One row per edge of the chain: its ``expected`` count, and ``is_inside`` its interval.

    Edges that do not occur are missing in the table; their interval is that of 0 of all transitions from the node.
    ``is_inside_plain`` is for the interval that treats all transitions as independent.
    """
    edges = journey_edges(visits)
    nodes = len(known.starts)
    names = [f"n{number}" for number in range(nodes)]
    truth = pl.DataFrame(
        {
            "from_node_id": np.repeat(["(start)", *names], [nodes, *[nodes + 1] * nodes]),
            "to_node_id": [*names, *(name for _ in names for name in (*names, "(end)"))],
            "truth": np.r_[known.starts, known.moves.ravel()],
        }
    )
    totals = edges.group_by("from_node_id").agg(pl.col("transition_count").sum().alias("total"))
    both = truth.join(totals, on="from_node_id").join(edges, on=["from_node_id", "to_node_id"], how="left")
    count = both["transition_count"].fill_null(0).to_numpy()
    low, high = share_interval(count, both["total"].to_numpy())
    return both.select(
        (pl.col("truth") * pl.col("total")).alias("expected"),
        _inside(pl.col("probability_low").fill_null(0.0), pl.col("probability_high").fill_null(pl.Series(high))).alias(
            "is_inside"
        ),
        _inside(pl.lit(pl.Series(low)), pl.lit(pl.Series(high))).alias("is_inside_plain"),
        pl.col("transition_count").is_not_null().alias("is_seen"),
    )


def _inside(low: pl.Expr, high: pl.Expr) -> pl.Expr:
    return (low <= pl.col("truth")) & (pl.col("truth") <= high)


def simulate_coverage(rng: np.random.Generator, world: World, repetitions: int) -> pl.DataFrame:
    """Rows of ``check_intervals`` for several simulated data sets, each with its own chain."""
    tables = []
    for _ in range(repetitions):
        known = draw_chain(rng, world)
        tables.append(check_intervals(simulate_visits(rng, world, known), _population_chain(rng, world, known)))
    return pl.concat(tables)


def simulate_false_alarms(rng: np.random.Generator, world: World, families: int) -> dict[str, float]:
    """Share of families with an alarm although nothing differs, by table and by the unit of random assignment."""
    alarms: dict[str, list[bool]] = {}
    for _ in range(families):
        visits = simulate_visits(rng, world, draw_chain(rng, world))
        edges, positions = journey_edges(visits), pl.int_range(visits.height, eager=True).alias("position")
        for unit in ("user_id", "sequence_id", "position"):
            side = visits.select(pl.col(unit).cast(pl.String).rank("dense") - 1).to_series().to_numpy()
            value = pl.Series("segment_value", rng.choice(["one", "other"], int(side.max()) + 1)[side])
            values = pl.DataFrame([positions, value]).with_columns(pl.lit("plan").alias("segment_field"))
            is_alarm = journey_segments(visits, values, edges)["q_value"] <= MAX_Q_VALUE
            alarms.setdefault(f"segments of {unit}", []).append(is_alarm.any())
        events = visits.select(
            pl.col("sequence_id").alias("session_id"), "position", pl.lit("asked").alias("event_name")
        )
        is_outcome = pl.Series(rng.random(events.height) < 0.2)  # at random, independent of the topic
        names = pl.when(is_outcome).then(pl.lit("rated")).otherwise("event_name").alias("event_name")
        outcomes = topic_outcomes(visits.filter(~is_outcome), events.with_columns(names))
        outcomes = outcomes.filter(pl.col("outcome_event_name") == "rated")
        alarms.setdefault("outcomes", []).append((outcomes["q_value"] <= MAX_Q_VALUE).any())
    return {name: float(np.mean(flags)) for name, flags in alarms.items()}


def simulate_drop_off_alarms(rng: np.random.Generator, world: World, repetitions: int) -> float:
    """Share of data sets with a fact about drop-off although all nodes are alike."""
    inner = np.full((world.nodes, world.nodes), (1 - world.end) / world.nodes)
    alike = Chain(np.full(world.nodes, 1 / world.nodes), np.c_[inner, np.full(world.nodes, world.end)])
    labels = pl.DataFrame(schema={"dimension": pl.String, "node_id": pl.String, "node_label": pl.String})
    tables = {name: LAKE_TABLES[name].empty() for name in FACT_TABLES}
    alarms = []
    for _ in range(repetitions):
        visits = simulate_visits(rng, world, alike)
        tables["journey_edges"] = journey_edges(visits)
        tables["journey_nodes"] = journey_nodes(visits, tables["journey_edges"], labels)
        alarms.append(any("drop-off" in fact for fact in journey_facts(tables, "prompt")))
    return float(np.mean(alarms))


def print_coverage(rng: np.random.Generator, name: str, world: World, repetitions: int) -> None:
    """Print the coverage of all edges, of common edges, and by expected count."""
    edges = simulate_coverage(rng, world, repetitions)

    def mean_coverage(part: pl.DataFrame, column: str = "is_inside") -> str:
        return f"{part[column].to_numpy().mean():.3f}"

    common = edges.filter(pl.col("expected") >= BINS[3])
    bins = [
        f"{low:,}: {mean_coverage(part)} ({part.height:,})"
        for low, high in itertools.pairwise(BINS)
        if (part := edges.filter(pl.col("expected").is_between(low, high, closed="left"))).height
    ]
    figures = [
        f"{edges.height:,}",
        mean_coverage(edges),
        mean_coverage(common),
        mean_coverage(common, "is_inside_plain"),
        ", ".join(bins),
    ]
    print(f"| {name} | {' | '.join(figures)} |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=100, help="data sets per line for the intervals")
    parser.add_argument("--families", type=int, default=400, help="data sets per line for the comparisons")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    print("| sessions | edges | inside | expected 5 times or more | as if independent | by expected count (edges) |")
    print("|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        print_coverage(rng, name, world, options.repetitions)
    for name, taste in TASTES.items():
        print_coverage(rng, name, replace(World(), taste=taste), options.repetitions)
    print(f"\n| sessions | families per column | alarms, at most {MAX_Q_VALUE:.0%} each | time |\n|---|---|---|---|")
    for name, taste in ({"a Markov chain": 0.0} | TASTES).items():
        started = time.perf_counter()
        shares = simulate_false_alarms(rng, World(taste=taste), options.families)
        drop_off = simulate_drop_off_alarms(rng, World(users=20, taste=taste), options.families)
        figures = [f"{title} {share:.1%}" for title, share in shares.items()]
        figures.append(f"drop-off of 20 users {drop_off:.1%}")
        print(f"| {name} | {options.families} | {', '.join(figures)} | {time.perf_counter() - started:.0f} s |")


if __name__ == "__main__":
    main()
