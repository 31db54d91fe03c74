"""Control of false claims over families of tests."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.families import select_families

NAN = np.nan


def claims(families: list[FloatArray], level: float = 0.05) -> list[list[bool]]:
    return [(adjusted <= level).tolist() for adjusted in select_families(families, level)]


def test_q_values_are_divided_by_the_share_of_selected_families() -> None:
    clear, weak, null = np.array([0.001, 0.02, 0.9]), np.array([0.012, 0.012]), np.array([0.5, 0.6, 0.7, 0.8])
    found = select_families([clear, weak, null])
    np.testing.assert_allclose(found[0], [0.0045, 0.045, 1])  # q-values 0.003, 0.03 and 0.9, times 3 / 2
    np.testing.assert_allclose(found[1], [0.018, 0.018])
    np.testing.assert_allclose(found[2], [1, 1, 1, 1])


def test_without_a_selected_family_nothing_is_a_claim() -> None:
    one, other = np.array([0.03, 0.9]), np.array([0.02])  # Simes p-values 0.06 and 0.02, adjusted 0.06 and 0.04
    assert claims([one, other]) == [[False, False], [True]]
    assert claims([one, np.array([0.03])]) == [[False, False], [False]]


def test_a_single_family_has_its_q_values() -> None:
    np.testing.assert_allclose(select_families([np.array([0.01, 0.04, 0.03])])[0], [0.03, 0.04, 0.04])


def test_a_stricter_level_makes_fewer_claims() -> None:
    families = [np.array([0.001, 0.02]), np.array([0.03]), np.array([0.2])]
    assert claims(families, 0.05) == [[True, True], [True], [False]]
    assert claims(families, 0.01) == [[True, False], [False], [False]]


def test_untested_and_empty_families_do_not_count() -> None:
    tested = np.array([0.01, NAN, 0.04])
    alone = select_families([tested])[0]
    found = select_families([np.empty(0), tested, np.array([NAN, NAN])])
    np.testing.assert_array_equal(found[1], alone)
    np.testing.assert_allclose(alone, [0.02, NAN, 0.04])
    assert found[0].shape == (0,)
    assert np.isnan(found[2]).all()
    assert select_families([]) == []


def test_results_have_the_shape_of_the_input() -> None:
    grid = np.array([[0.001, 0.5], [0.2, NAN]])
    np.testing.assert_array_equal(select_families([grid])[0].ravel(), select_families([grid.ravel()])[0])


def test_the_order_of_tests_and_families_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    families = [rng.random(size) ** 3 for size in (5, 1, 40, 12)]
    found = select_families(families)
    order = [rng.permutation(len(family)) for family in families]
    permuted = select_families([family[at] for family, at in zip(families, order, strict=True)][::-1])[::-1]
    for one, other, at in zip(found, permuted, order, strict=True):
        np.testing.assert_array_equal(one[at], other)


def test_equal_p_values_have_equal_adjusted_values() -> None:
    found = select_families([np.array([0.02, 0.02, 0.02, 0.5]), np.array([0.02, 0.02, 0.02, 0.5])])
    assert found[0].tolist() == found[1].tolist()
    assert len(set(found[0][:3].tolist())) == 1


def test_smaller_p_values_never_have_larger_adjusted_values_and_never_lose_a_claim() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        families = [rng.random(size) ** 4 for size in (6, 2, 15)]
        found = select_families(families)
        for family, adjusted in zip(families, found, strict=True):
            assert (np.diff(adjusted[np.argsort(family)]) >= 0).all()
        stronger = select_families([family * rng.uniform(0.2, 1) for family in families])
        for before, after in zip(found, stronger, strict=True):
            assert (after[before <= 0.05] <= 0.05 + 1e-12).all()


@pytest.mark.parametrize("sizes", [(3, 40, 40, 500), (1, 1, 1), (25,), (2, 0, 300, 7, 7, 7)])
def test_if_nothing_differs_at_most_5_percent_of_runs_have_a_claim(sizes: tuple[int, ...]) -> None:
    rng, runs = np.random.default_rng(1), 2000
    alarms = sum(any(map(any, claims([rng.random(size) for size in sizes]))) for _ in range(runs))
    margin = 2 * np.sqrt(0.05 * 0.95 / runs)  # the true share is exactly 5 %: half of all seeds exceed it a little
    assert alarms / runs <= 0.05 + margin


def test_true_findings_of_other_families_do_not_raise_the_share_of_false_claims() -> None:
    rng, runs, shares = np.random.default_rng(8), 1000, []
    for _ in range(runs):
        one, other = (np.concatenate([rng.random(5) * 1e-4, rng.random(15)]) for _ in range(2))
        families = claims([one, other, rng.random(20), rng.random(200)])
        false = [sum(families[0][5:]), sum(families[1][5:]), sum(families[2]), sum(families[3])]
        claimed = [sum(family) for family in families]
        selected = [f / c for f, c in zip(false, claimed, strict=True) if c]
        shares.append(sum(selected) / max(len(selected), 1))
    assert np.mean(shares) <= 0.05
