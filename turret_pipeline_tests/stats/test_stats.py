"""Statistics of shares, checked against exact and published figures and by simulation."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import PairCorrelations, design_effects, pair_correlations
from turret_pipeline.stats.shares import Comparison, bound_p_values, compare_shares, q_values, share_interval


def compare_one(
    count: int, total: int, other: int, other_total: int, effect: float = 1.0, degrees: float = np.inf
) -> Comparison:
    return compare_shares([count], [total], [other], [other_total], effect, degrees)


def correlations(counts: FloatArray, groups: FloatArray, sizes: FloatArray) -> PairCorrelations:
    return pair_correlations(sp.csr_matrix(counts), sp.csr_matrix(groups), sizes[:, None], counts.sum(axis=0)[None, :])


@pytest.mark.parametrize(("count", "total"), [(0, 20), (3, 20), (20, 20), (81, 263)])
def test_the_interval_of_a_share_is_wilsons_interval(count: int, total: int) -> None:
    low, high = share_interval([count], [total])
    published = stats.binomtest(count, total).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((published.low, published.high))


def test_dependent_events_give_the_interval_of_fewer_independent_ones() -> None:
    dependent, fewer = share_interval([30], [100], 2.0), share_interval([15], [50])
    assert np.concatenate(dependent) == pytest.approx(np.concatenate(fewer))


def test_the_interval_of_a_difference_is_newcombes_for_independent_events() -> None:
    found = compare_one(56, 70, 48, 80)  # Newcombe 1998, table II, contrast (a), method 10
    assert (found.difference[0], found.low[0], found.high[0]) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(("whole", "hits", "total"), [(1000, 50, 20), (1000, 5, 500), (500, 400, 30), (300, 3, 3)])
def test_p_values_match_fishers_exact_test_for_independent_events(whole: int, hits: int, total: int) -> None:
    counts = np.arange(max(0, hits + total - whole), min(hits, total) + 1)
    exact = stats.hypergeom.sf(counts - 1, whole, hits, total)
    is_relevant = (exact > 1e-4) & (exact < 0.3)
    found = compare_shares(counts, np.array(total), hits - counts, np.array(whole - total))
    assert is_relevant.any()
    np.testing.assert_allclose(found.p_greater[is_relevant], exact[is_relevant], rtol=0.4)


@pytest.mark.parametrize(("count", "other", "other_total"), [(0, 10, 1000), (0, 0, 1000), (7, 1000, 1000), (1, 3, 900)])
def test_seven_events_have_a_wide_interval_and_raise_no_alarm(count: int, other: int, other_total: int) -> None:
    found = compare_one(count, 7, other, other_total)
    assert found.high[0] - found.low[0] > 0.2
    assert found.low[0] <= found.difference[0] <= found.high[0]
    assert found.p_value[0] > 0.01


def test_correlated_events_count_as_fewer() -> None:
    dependent, fewer = compare_one(40, 100, 20, 100, effect=4), compare_one(10, 25, 5, 25)
    assert (dependent.low[0], dependent.high[0]) == pytest.approx((fewer.low[0], fewer.high[0]))
    assert dependent.p_value[0] == pytest.approx(fewer.p_value[0])
    assert dependent.p_value[0] > 10 * compare_one(40, 100, 20, 100).p_value[0]


def test_few_clusters_widen_the_interval() -> None:
    many, few = compare_one(40, 100, 20, 100, degrees=1000), compare_one(40, 100, 20, 100, degrees=4)
    assert few.high[0] - few.low[0] > many.high[0] - many.low[0]
    assert few.p_value[0] > 3 * many.p_value[0]


def test_comparisons_are_symmetric() -> None:
    one, other = compare_one(40, 100, 20, 100), compare_one(20, 100, 40, 100)
    assert one.p_value[0] == pytest.approx(other.p_value[0])
    assert (one.low[0], one.p_greater[0] < 0.01) == (pytest.approx(-other.high[0]), True)
    assert other.p_greater[0] > 0.99


def test_variance_is_inflated_for_whole_clusters_and_not_for_random_events() -> None:
    rng = np.random.default_rng(1)
    sizes = np.full(500, 4.0)
    counts = (sizes * (rng.random(500) < 0.3))[:, None]  # all four events of a cluster, or none
    whole, random = sizes * (rng.random(500) < 0.5), rng.binomial(4, 0.5, 500)
    found = design_effects(correlations(counts, np.stack([whole, random], axis=1), sizes))
    np.testing.assert_allclose(found, [[4, 1]], atol=0.35)


def test_clusters_of_one_event_do_not_inflate_the_variance() -> None:
    counts = np.array([[1.0], [0], [1], [0]])
    found = design_effects(correlations(counts, 1 - counts, np.ones(4)))
    assert found.tolist() == [[1.0]]


@pytest.mark.parametrize(("share", "other_share"), [(0.1, 0.1), (0.3, 0.2), (0.02, 0.05)])
def test_95_percent_of_intervals_cover_the_truth_and_naive_ones_do_not(share: float, other_share: float) -> None:
    rng = np.random.default_rng(7)
    sizes = rng.geometric(0.15, 300).astype(float)
    inside = (rng.random(300) < 0.2).astype(float)
    means = np.where(inside, share, other_share)[:, None]
    user_shares = rng.beta(4 * means, 4 * (1 - means), (300, 2000))  # each user has their own share
    counts = rng.binomial(sizes.astype(int)[:, None], user_shares).astype(float)
    group = (sizes * inside)[:, None]
    effects = design_effects(correlations(counts, group, sizes))[:, 0]
    margins = (counts.T @ inside, np.array(group.sum()), counts.T @ (1 - inside), np.array((sizes - group[:, 0]).sum()))
    honest, naive = compare_shares(*margins, effects, 299), compare_shares(*margins)
    assert np.mean((honest.low <= share - other_share) & (share - other_share <= honest.high)) >= 0.935
    assert np.mean((naive.low <= share - other_share) & (share - other_share <= naive.high)) < 0.85
    if share == other_share:
        assert np.mean(honest.p_value < 0.05) <= 0.06


def test_q_values_are_benjamini_and_hochbergs_and_ignore_nan() -> None:
    found = q_values(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(found, [0.03, np.nan, 0.04, 0.04])
    many = np.round(np.random.default_rng(0).random(500) ** 3, 2)
    assert q_values(many).tolist() == stats.false_discovery_control(many).tolist()
    assert q_values(np.array([])).tolist() == []
    assert np.isnan(q_values(np.array([np.nan]))).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_bounds_of_p_values_are_no_smaller_and_give_the_same_q_values(p_values: list[float]) -> None:
    known = np.array([*p_values, np.nan])
    bounds = bound_p_values(q_values(known))

    assert (bounds[:-1] >= known[:-1] - 1e-12).all()
    assert np.isnan(bounds[-1])
    assert q_values(bounds)[:-1] == pytest.approx(q_values(known)[:-1])
