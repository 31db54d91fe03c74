"""Simulated sessions: intervals cover the known chain, and comparisons without differences raise no alarms."""

from dataclasses import replace

import numpy as np
import pytest

from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline_tests.benchmarks.journey_simulation import (
    World,
    simulate_coverage,
    simulate_drop_off_alarms,
    simulate_false_alarms,
)
from turret_pipeline_tests.benchmarks.simulated_outcomes import CLOSING, OutcomeWorld, flagged_topics

pytestmark = pytest.mark.slow
WORLD = World()


@pytest.mark.parametrize("world", [WORLD, World(nodes=30), World(sessions=100, users=25), World(users=20)])
def test_nineteen_of_twenty_intervals_cover_the_probability_of_a_markov_chain(world: World) -> None:
    found = simulate_coverage(np.random.default_rng(1), world, 8)
    common = found.filter(found["expected"] >= 5)
    assert common.height > 200
    assert 0.93 <= common["is_inside"].to_numpy().mean() <= 0.975


def test_intervals_allow_for_differences_between_users() -> None:
    found = simulate_coverage(np.random.default_rng(2), replace(WORLD, taste=3.0), 12)
    assert found["is_inside"].to_numpy().mean() > 0.9
    assert found["is_inside_plain"].to_numpy().mean() < 0.8


def test_random_segments_and_outcomes_rarely_raise_an_alarm() -> None:
    found = simulate_false_alarms(np.random.default_rng(3), replace(WORLD, taste=20.0, sessions=400, users=100), 40)
    assert len(found) == 4
    assert sum(found.values()) / len(found) <= 0.075


@pytest.mark.parametrize("taste", [0.0, 20.0, 3.0])
def test_differences_between_users_alone_rarely_raise_a_drop_off_alarm(taste: float) -> None:
    assert simulate_drop_off_alarms(np.random.default_rng(4), World(users=20, taste=taste), 100) <= 0.05


def share_flagged(world: OutcomeWorld, topic: str | None = None, repetitions: int = 60) -> float:
    """Share of data sets in which a topic (by default: any) has an outcome more or less often than the others."""
    rng, flags = np.random.default_rng(5), []
    for _ in range(repetitions):
        found = flagged_topics(rng, world, Q_VALUE_THRESHOLD)
        flags.append(found.filter(found["topic_id"] == topic if topic else True)["is_flagged"].any())
    return float(np.mean(flags))


@pytest.mark.parametrize(
    "world",
    [
        OutcomeWorld(closing=True, length=3),
        OutcomeWorld(),
        OutcomeWorld(users=20),
        OutcomeWorld(spread=1.5, concentration=2.0),
    ],
)
def test_late_topics_and_differences_between_users_rarely_raise_an_alarm_of_outcomes(world: OutcomeWorld) -> None:
    assert share_flagged(world) <= 0.05


def test_an_outcome_that_follows_a_topic_more_often_is_found() -> None:
    assert share_flagged(OutcomeWorld(planted=0.2), CLOSING) >= 0.7
