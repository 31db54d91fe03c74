"""Sessions from a known chain in; intervals that cover it, and no alarms where nothing differs."""

from dataclasses import replace

import numpy as np
import pytest

from turret_pipeline_tests.benchmarks.journey_simulation import World, alarms, coverage, drop_off_alarms

WORLD = World()


@pytest.mark.parametrize("world", [WORLD, World(nodes=30), World(sessions=100, users=25), World(users=20)])
def test_nineteen_of_twenty_intervals_cover_the_probability_of_a_markov_chain(world: World) -> None:
    found = coverage(np.random.default_rng(1), world, 8)
    common = found.filter(found["expected"] >= 5)
    assert common.height > 200
    assert 0.93 <= common["right"].to_numpy().mean() <= 0.975


def test_intervals_know_that_users_have_tastes() -> None:
    found = coverage(np.random.default_rng(2), replace(WORLD, taste=3.0), 12)
    assert found["right"].to_numpy().mean() > 0.9
    assert found["plain"].to_numpy().mean() < 0.8


def test_segments_and_outcomes_drawn_by_lot_raise_hardly_an_alarm() -> None:
    found = alarms(np.random.default_rng(3), replace(WORLD, taste=20.0, sessions=400, users=100), 40)
    assert len(found) == 4
    assert sum(found.values()) / len(found) <= 0.075


@pytest.mark.parametrize("taste", [0.0, 20.0, 3.0])
def test_no_node_is_where_sessions_break_off_while_only_users_differ(taste: float) -> None:
    assert drop_off_alarms(np.random.default_rng(4), World(users=20, taste=taste), 100) <= 0.05
