"""Comparison of two shares from sums over clusters, checked against brute force and by simulation."""

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import linearized_variance
from turret_pipeline.stats.pair_sums import PairSums, compare_pairs, find_pair_variance
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD, q_values


def sum_clusters(parts: FloatArray) -> PairSums:
    """Sums of clusters of shape (clusters, pairs, 4)."""
    is_counted = (parts[:, :, :2].sum(axis=2) > 0).sum(axis=0)
    return PairSums(parts.sum(axis=0), np.einsum("cpi,cpj->pij", parts, parts), is_counted)


def random_clusters(clusters: int = 40, pairs: int = 3) -> FloatArray:
    random = np.random.default_rng(1)
    totals = random.integers(0, 6, (clusters, 1, 2)).repeat(pairs, axis=1)
    return np.concatenate([random.binomial(totals, 0.3), totals], axis=2).astype(float)


def test_the_variance_is_that_of_a_sum_over_clusters() -> None:
    parts = random_clusters()
    variance, clusters = find_pair_variance(sum_clusters(parts))
    for pair in range(parts.shape[1]):
        count, other, total, other_total = parts[:, pair].T
        part = (count - count.sum() / total.sum() * total) / total.sum()
        part -= (other - other.sum() / other_total.sum() * other_total) / other_total.sum()
        effective = min(total.sum() ** 2 / (total**2).sum(), other_total.sum() ** 2 / (other_total**2).sum())
        assert clusters[pair] == pytest.approx(effective)
        assert variance[pair] == pytest.approx((part**2).sum() * effective / (effective - 1))


def test_the_variance_is_that_of_a_group_and_its_rest() -> None:
    parts = random_clusters(pairs=1)
    count, other, total, other_total = (sp.csr_matrix(parts[:, 0, [part]]) for part in range(4))
    whole = np.asarray((total + other_total).todense()).ravel(), np.asarray((count + other).todense()).ravel()
    expected = linearized_variance(count, total, *whole)
    np.testing.assert_allclose(find_pair_variance(sum_clusters(parts)), expected)


def test_the_order_of_clusters_does_not_matter() -> None:
    parts = random_clusters()
    found, other = (compare_pairs(sum_clusters(one)) for one in (parts, parts[::-1]))
    np.testing.assert_allclose(found.p_value, other.p_value)


def test_few_events_or_clusters_are_not_tested_but_have_an_interval() -> None:
    rest = [[0.0, 0.0, 50.0, 50.0]] * 20
    few_events = [[1.0, 0.0, 1.0, 0.0]] * 9 + rest
    few_clusters = [[5.0, 0.0, 5.0, 0.0]] * 4 + rest + [[0.0, 0.0, 1.0, 0.0]] * 5
    enough = [[1.0, 0.0, 1.0, 0.0]] * 10 + rest[:19]
    for clusters, is_tested in ((few_events, False), (few_clusters, False), (enough, True)):
        found = compare_pairs(sum_clusters(np.array(clusters)[:, None, :]))
        assert np.isfinite(found.p_value[0]) == is_tested
        assert found.low[0] < found.difference[0] < found.high[0]


def simulate_periods(random: np.random.Generator, users: int = 300, topics: int = 12) -> FloatArray:
    """Events of users with few subjects each, whose sessions fall into one of two periods by chance."""
    cells = np.zeros((users, topics, 2))
    shares = random.dirichlet(np.full(topics, 0.3), users)
    for user, sessions in enumerate(1 + random.negative_binomial(1, 0.2, users)):
        for period in random.integers(0, 2, sessions):
            cells[user, :, period] += random.multinomial(1 + random.poisson(2), shares[user])
    totals = cells.sum(axis=1, keepdims=True).repeat(topics, axis=1)
    return np.concatenate([cells, totals], axis=2)


def test_shuffled_periods_raise_few_false_alarms() -> None:
    random = np.random.default_rng(7)
    found = [compare_pairs(sum_clusters(simulate_periods(random))).p_value for _ in range(250)]
    rate = np.nanmean(np.concatenate(found) <= 0.05)
    families = np.mean([np.nanmin(q_values(p_value)) <= Q_VALUE_THRESHOLD for p_value in found])
    assert 0.02 <= rate <= 0.06
    assert families <= 0.08
