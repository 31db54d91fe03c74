"""Exchanges compared with plain loops over the events of each session, written from the contract of the tables."""

import pytest

from turret_pipeline_tests.benchmarks.exchanges import DATA, RANDOM, SETS, compare_set


@pytest.mark.parametrize("name", [RANDOM, *SETS])
def test_exchanges_are_those_of_plain_loops(name: str) -> None:
    if name in SETS and not DATA.exists():
        pytest.skip("../shared/data is not beside the checkout")
    count, differing = compare_set(name, sessions=80)
    assert count > 200
    assert not any(differing.values()), differing
