"""Simulated occurrences in which no topic grows and no segment differs, unless an effect is planted.

They have the difficulties of real data: topic sizes follow Zipf's law; users have few or many sessions and subjects of
their own; sessions stay on a topic; days differ in volume, by weekday, and in their topics.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray

FIRST_DAY = dt.date(2026, 1, 5)


@dataclass(frozen=True)
class World:
    """Settings of the simulation. A smaller ``concentration`` gives users more distinct subjects."""

    topics: int = 60
    users: int = 800
    days: int = 42
    concentration: float = 4.0
    day_spread: float = 0.5
    """Standard deviation of the logarithm of a topic's weight from day to day."""

    known_users: bool = True
    stay: float = 0.5
    """Probability that an event has the topic of the event before it in the session."""


@dataclass(frozen=True)
class PlantedEffect:
    """A topic whose weight is multiplied by ``factor`` in the last ``days``, or for a quarter of the users."""

    topic: int
    factor: float
    days: int = 7
    share: float | None = None
    """Expected share of the topic without the effect; by Zipf's law if None."""


def simulate_occurrences(
    rng: np.random.Generator, world: World, growing: PlantedEffect | None = None, favoured: PlantedEffect | None = None
) -> tuple[pl.DataFrame, IntArray]:
    """Occurrences of one text field, and 1 for each user with the ``favoured`` effect, else 0."""
    weights = 1 / np.arange(1, world.topics + 1)
    if growing and growing.share is not None:
        weights[growing.topic] = 0
        weights[growing.topic] = weights.sum() * growing.share / (1 - growing.share)
    user_weights = rng.dirichlet(world.concentration * weights / weights.sum() * world.topics**0.5, world.users)
    is_favoured = rng.random(world.users) < 0.25
    if favoured:
        user_weights[is_favoured, favoured.topic] *= favoured.factor
    day_weights = np.exp(rng.normal(0, world.day_spread, (world.days, world.topics)))
    if growing:
        day_weights[-growing.days :, growing.topic] *= growing.factor
    volume = np.exp(rng.normal(0, 0.3, world.days)) * np.where(np.arange(world.days) % 7 < 5, 1.0, 0.4)
    sessions = 1 + rng.geometric(0.25, world.users)
    user = np.repeat(np.arange(world.users), sessions)
    day = rng.choice(world.days, len(user), p=volume / volume.sum())
    length = rng.geometric(0.4, len(user))
    session = np.repeat(np.arange(len(user)), length)
    cumulated = np.cumsum(user_weights[user] * day_weights[day], axis=1)
    drawn = _draw_topics(rng, cumulated / cumulated[:, -1:], session)
    topic = _repeat_topics(rng, drawn, session, world.stay)
    return _occurrences_frame(world, user[session], session, day[session], topic), is_favoured.astype(np.int64)


def _draw_topics(rng: np.random.Generator, cumulated: FloatArray, session: IntArray) -> IntArray:
    return np.asarray((rng.random(len(session))[:, None] > cumulated[session]).sum(axis=1))


def _repeat_topics(rng: np.random.Generator, drawn: IntArray, session: IntArray, stay: float) -> IntArray:
    """Topics of the events: with probability ``stay`` that of the event before in the session, else the drawn one."""
    is_first = np.r_[True, session[1:] != session[:-1]]
    source = np.where(is_first | (rng.random(len(session)) >= stay), np.arange(len(session)), 0)
    return np.asarray(drawn[np.maximum.accumulate(source)])


def _occurrences_frame(world: World, user: IntArray, session: IntArray, day: IntArray, topic: IntArray) -> pl.DataFrame:
    cluster = user if world.known_users else session
    return pl.DataFrame(
        {"cluster_id": cluster, "session_id": session, "user": user, "day": day, "topic": topic}
    ).select(
        pl.lit("prompt").alias("field"),
        pl.int_range(pl.len()).cast(pl.String).alias("event_id"),
        (pl.lit("prompt-") + pl.col("topic").cast(pl.String)).alias("topic_id"),
        pl.col("session_id").cast(pl.String),
        pl.col("cluster_id").cast(pl.Int64),
        (pl.lit(FIRST_DAY) + pl.duration(days=pl.col("day"))).cast(pl.Date).alias("event_date"),
        "user",
    )


def segment_values(occurrences: pl.DataFrame, name: str, values: IntArray) -> pl.DataFrame:
    """Values of an enum field, one per occurrence, with the columns event_id, field and value."""
    return occurrences.select(
        "event_id", pl.lit(name).alias("field"), pl.Series("value", values).cast(pl.String).alias("value")
    )
