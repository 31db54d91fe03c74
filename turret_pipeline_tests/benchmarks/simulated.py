"""Made-up occurrences in which nothing grows and no segment differs, unless it is planted.

What makes real data hard is in them: topics of Zipf's sizes; users with few or many sessions and subjects of their
own; sessions that stay on a topic; days that differ in volume, by weekday, and in what they are about.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray

FIRST_DAY = dt.date(2026, 1, 5)


@dataclass(frozen=True)
class World:
    """How the data is made. ``concentration``: the smaller, the more each user has subjects of their own."""

    topics: int = 60
    users: int = 800
    days: int = 42
    concentration: float = 4.0
    day_spread: float = 0.5
    """Standard deviation of the logarithm of a topic's weight from day to day."""

    known_users: bool = True
    stay: float = 0.5
    """Chance that an event of a session is on the topic of the one before."""


@dataclass(frozen=True)
class Planted:
    """What differs after all: the topic's weight times ``factor`` in the last 7 days, or for some of the users."""

    topic: int
    factor: float


def occurrences(
    rng: np.random.Generator, world: World, growing: Planted | None = None, favoured: Planted | None = None
) -> tuple[pl.DataFrame, IntArray]:
    """Occurrences of one text field, and whether each of the users is favoured (a quarter of them)."""
    weights = 1 / np.arange(1, world.topics + 1)
    taste = rng.dirichlet(world.concentration * weights / weights.sum() * world.topics**0.5, world.users)
    is_favoured = rng.random(world.users) < 0.25
    if favoured:
        taste[is_favoured, favoured.topic] *= favoured.factor
    mood = np.exp(rng.normal(0, world.day_spread, (world.days, world.topics)))
    if growing:
        mood[-7:, growing.topic] *= growing.factor
    volume = np.exp(rng.normal(0, 0.3, world.days)) * np.where(np.arange(world.days) % 7 < 5, 1.0, 0.4)
    sessions = 1 + rng.geometric(0.25, world.users)
    user = np.repeat(np.arange(world.users), sessions)
    day = rng.choice(world.days, len(user), p=volume / volume.sum())
    length = rng.geometric(0.4, len(user))
    session = np.repeat(np.arange(len(user)), length)
    chance = np.cumsum(taste[user] * mood[day], axis=1)
    drawn = _drawn(rng, chance / chance[:, -1:], session)
    topic = _staying(rng, drawn, session, world.stay)
    return _frame(world, user[session], session, day[session], topic), is_favoured.astype(np.int64)


def _drawn(rng: np.random.Generator, cumulated: FloatArray, session: IntArray) -> IntArray:
    return np.asarray((rng.random(len(session))[:, None] > cumulated[session]).sum(axis=1))


def _staying(rng: np.random.Generator, drawn: IntArray, session: IntArray, stay: float) -> IntArray:
    """Each event on the topic of the one before it in its session by chance ``stay``, else on the one drawn."""
    is_first = np.r_[True, session[1:] != session[:-1]]
    source = np.where(is_first | (rng.random(len(session)) >= stay), np.arange(len(session)), 0)
    return np.asarray(drawn[np.maximum.accumulate(source)])


def _frame(world: World, user: IntArray, session: IntArray, day: IntArray, topic: IntArray) -> pl.DataFrame:
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


def segment(found: pl.DataFrame, name: str, values: IntArray) -> pl.DataFrame:
    """Values of an enum field, one for each occurrence, in the shape of event_values."""
    return found.select(
        "event_id", pl.lit(name).alias("field"), pl.Series("value", values).cast(pl.String).alias("value")
    )
