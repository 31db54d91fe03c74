"""Simulated sessions in which an outcome is unrelated to the topics, unless an effect is planted.

Topics have their places: some open sessions, others come late, and with ``closing`` one topic always comes last. Users
have topics of their own, and their own readiness for the outcome, which may come after each visit.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.journeys.outcomes import topic_outcomes
from turret_pipeline_tests.journeys.rows import NOON

CLOSING = "n0"


@dataclass(frozen=True)
class OutcomeWorld:
    """Settings of the simulation. At larger ``spread``, users differ more in readiness for the outcome."""

    topics: int = 20
    users: int = 250
    sessions: int = 1500
    spread: float = 0.5
    concentration: float = 10.0
    """A smaller one gives users more distinct topics."""

    length: int | None = None
    """Visits of every session; None: their number varies."""

    closing: bool = False
    """Half of the sessions end with the topic CLOSING, which never comes before."""

    planted: float = 0.0
    """What is added to the chance of the outcome after each visit to topic CLOSING, which has then no place."""


def simulate_outcomes(rng: np.random.Generator, world: OutcomeWorld) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The visits, and the events of the outcome, as ``topic_outcomes`` takes them."""
    user = rng.integers(0, world.users, world.sessions)
    length = rng.geometric(0.4, world.sessions) if world.length is None else np.full(world.sessions, world.length)
    session = np.repeat(np.arange(world.sessions), length)
    place = np.arange(len(session)) - np.repeat(np.cumsum(length) - length, length)
    weights = rng.dirichlet(np.full(world.topics, world.concentration / world.topics), world.users)
    lateness = rng.normal(0, 0.0 if world.planted else 1.0, world.topics)
    chances = weights[user[session]] * np.exp(lateness * np.minimum(place, 4)[:, None]) + 1e-9
    if world.closing:
        chances[:, 0] = 0
    bounds = np.cumsum(chances, axis=1)
    topic = (rng.random((len(session), 1)) * bounds[:, -1:] > bounds).sum(axis=1)
    if world.closing:
        is_last = (place == length[session] - 1) & (place > 0)
        topic[is_last & (rng.random(world.sessions) < 0.5)[session]] = 0
    ready = 1 / (1 + np.exp(1.5 - rng.normal(0, world.spread, world.users)))
    is_followed = rng.random(len(session)) < ready[user[session]] + world.planted * (topic == 0)
    position = 2 * np.arange(len(session))
    names = pl.DataFrame({"session": session, "user": user[session], "topic": topic, "position": position})
    visits = names.select(
        pl.lit("prompt").alias("dimension"),
        (pl.lit("s") + pl.col("session").cast(pl.String)).alias("sequence_id"),
        (pl.lit("u") + pl.col("user").cast(pl.String)).alias("user_id"),
        (pl.lit("n") + pl.col("topic").cast(pl.String)).alias("node_id"),
        (pl.lit(NOON) + pl.duration(seconds="position")).cast(pl.Datetime("us", "UTC")).alias("event_at"),
        "position",
    )
    outcomes = visits.filter(pl.Series(is_followed)).select(
        pl.col("sequence_id").alias("session_id"), pl.lit("rated").alias("event_name"), pl.col("position") + 1
    )
    return visits, outcomes


def flagged_topics(rng: np.random.Generator, world: OutcomeWorld, max_q_value: float) -> pl.DataFrame:
    """The rows of ``topic_outcomes`` of one simulated data set, with ``is_flagged``."""
    found = topic_outcomes(*simulate_outcomes(rng, world))
    return found.with_columns((pl.col("q_value") <= max_q_value).alias("is_flagged"))
