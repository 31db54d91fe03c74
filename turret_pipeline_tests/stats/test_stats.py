"""Shares of two groups: against exact and published figures, and by simulation."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import Pairs, design_effects, pairs_within
from turret_pipeline.stats.shares import Comparison, compare_shares, q_values, share_interval


def compared(
    count: int, total: int, other: int, other_total: int, effect: float = 1.0, degrees: float = np.inf
) -> Comparison:
    return compare_shares([count], [total], [other], [other_total], effect, degrees)


def pairs(counts: FloatArray, groups: FloatArray, sizes: FloatArray) -> Pairs:
    return pairs_within(sp.csr_matrix(counts), sp.csr_matrix(groups), sizes[:, None], counts.sum(axis=0)[None, :])


@pytest.mark.parametrize(("count", "total"), [(0, 20), (3, 20), (20, 20), (81, 263)])
def test_the_interval_of_a_share_is_wilsons(count: int, total: int) -> None:
    low, high = share_interval([count], [total])
    published = stats.binomtest(count, total).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((published.low, published.high))


def test_a_share_of_dependent_events_is_known_as_well_as_one_of_fewer() -> None:
    dependent, fewer = share_interval([30], [100], 2.0), share_interval([15], [50])
    assert np.concatenate(dependent) == pytest.approx(np.concatenate(fewer))


def test_the_interval_is_newcombes_where_events_are_independent() -> None:
    found = compared(56, 70, 48, 80)  # Newcombe 1998, table II, contrast (a), method 10
    assert (found.difference[0], found.low[0], found.high[0]) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(("whole", "hits", "total"), [(1000, 50, 20), (1000, 5, 500), (500, 400, 30), (300, 3, 3)])
def test_p_values_are_those_of_fishers_exact_test_where_events_are_independent(
    whole: int, hits: int, total: int
) -> None:
    counts = np.arange(max(0, hits + total - whole), min(hits, total) + 1)
    exact = stats.hypergeom.sf(counts - 1, whole, hits, total)
    telling = (exact > 1e-4) & (exact < 0.3)
    found = compare_shares(counts, np.array(total), hits - counts, np.array(whole - total))
    assert telling.any()
    np.testing.assert_allclose(found.p_greater[telling], exact[telling], rtol=0.4)


@pytest.mark.parametrize(("count", "other", "other_total"), [(0, 10, 1000), (0, 0, 1000), (7, 1000, 1000), (1, 3, 900)])
def test_seven_events_have_a_wide_interval_and_raise_no_alarm(count: int, other: int, other_total: int) -> None:
    found = compared(count, 7, other, other_total)
    assert found.high[0] - found.low[0] > 0.2
    assert found.low[0] <= found.difference[0] <= found.high[0]
    assert found.p_value[0] > 0.01


def test_events_that_hang_together_are_worth_fewer() -> None:
    dependent, fewer = compared(40, 100, 20, 100, effect=4), compared(10, 25, 5, 25)
    assert (dependent.low[0], dependent.high[0]) == pytest.approx((fewer.low[0], fewer.high[0]))
    assert dependent.p_value[0] == pytest.approx(fewer.p_value[0])
    assert dependent.p_value[0] > 10 * compared(40, 100, 20, 100).p_value[0]


def test_few_clusters_make_it_less_certain() -> None:
    many, few = compared(40, 100, 20, 100, degrees=1000), compared(40, 100, 20, 100, degrees=4)
    assert few.high[0] - few.low[0] > many.high[0] - many.low[0]
    assert few.p_value[0] > 3 * many.p_value[0]


def test_a_smaller_share_is_as_telling_as_a_larger_one() -> None:
    one, other = compared(40, 100, 20, 100), compared(20, 100, 40, 100)
    assert one.p_value[0] == pytest.approx(other.p_value[0])
    assert (one.low[0], one.p_greater[0] < 0.01) == (pytest.approx(-other.high[0]), True)
    assert other.p_greater[0] > 0.99


def test_a_group_of_whole_clusters_is_inflated_and_one_drawn_anew_is_not() -> None:
    rng = np.random.default_rng(1)
    sizes = np.full(500, 4.0)
    counts = (sizes * (rng.random(500) < 0.3))[:, None]  # all four events of a cluster, or none
    whole, anew = sizes * (rng.random(500) < 0.5), rng.binomial(4, 0.5, 500)
    found = design_effects(pairs(counts, np.stack([whole, anew], axis=1), sizes))
    np.testing.assert_allclose(found, [[4, 1]], atol=0.35)


def test_clusters_of_one_event_inflate_nothing() -> None:
    counts = np.array([[1.0], [0], [1], [0]])
    found = design_effects(pairs(counts, 1 - counts, np.ones(4)))
    assert found.tolist() == [[1.0]]


@pytest.mark.parametrize(("share", "other_share"), [(0.1, 0.1), (0.3, 0.2), (0.02, 0.05)])
def test_nineteen_of_twenty_intervals_cover_the_truth_and_naive_ones_do_not(share: float, other_share: float) -> None:
    rng = np.random.default_rng(7)
    sizes = rng.geometric(0.15, 300).astype(float)
    inside = (rng.random(300) < 0.2).astype(float)
    means = np.where(inside, share, other_share)[:, None]
    tastes = rng.beta(4 * means, 4 * (1 - means), (300, 2000))  # every user has a share of their own
    counts = rng.binomial(sizes.astype(int)[:, None], tastes).astype(float)
    group = (sizes * inside)[:, None]
    effects = design_effects(pairs(counts, group, sizes))[:, 0]
    margins = (counts.T @ inside, np.array(group.sum()), counts.T @ (1 - inside), np.array((sizes - group[:, 0]).sum()))
    honest, naive = compare_shares(*margins, effects, 299), compare_shares(*margins)
    assert np.mean((honest.low <= share - other_share) & (share - other_share <= honest.high)) >= 0.935
    assert np.mean((naive.low <= share - other_share) & (share - other_share <= naive.high)) < 0.85
    if share == other_share:
        assert np.mean(honest.p_value < 0.05) <= 0.06


def test_q_values_are_benjamini_and_hochbergs_and_skip_what_is_not_known() -> None:
    found = q_values(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(found, [0.03, np.nan, 0.04, 0.04])
    assert q_values(np.array([])).tolist() == []
    assert np.isnan(q_values(np.array([np.nan]))).all()
