"""Comparison of the shares of topics in two periods, with events of one user and of one day as dependent."""

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.effects import PairCorrelations, count_matrix, design_effects, pair_correlations
from turret_pipeline.stats.shares import Comparison, compare_shares


def compare_shares_of_topics(events: pl.DataFrame, topic_count: int) -> Comparison:
    """Share of each topic in the recent period, compared with that in the period before, of shape (topics,).

    ``events`` are those of both periods: topic (number, -1 without), is_recent, event_date and cluster_id (see
    occurrences). Each period has at least one. Events of a user on a day, of a user, and of a day are correlated: users
    return to their subjects, and days have subjects of their own.
    """
    topic, period = events["topic"].to_numpy(), events["is_recent"].cast(pl.Int64).to_numpy()
    days, users = events["event_date"].rank("dense").to_numpy(), events["cluster_id"].to_numpy()
    totals = np.stack([np.bincount(topic[(period == one) & (topic >= 0)], minlength=topic_count) for one in (0, 1)])
    by_day, by_user, by_both = (
        _correlations(clusters, topic, period, totals)
        for clusters in (days, users, days.astype(np.int64) * (int(users.max()) + 1) + users)
    )
    effects = design_effects(by_both, by_user - by_both, by_day - by_both)[:, 0]
    before, recent = (np.full(topic_count, np.count_nonzero(period == one)) for one in (0, 1))
    volumes = np.bincount(days)
    degrees = max(volumes.sum() ** 2 / (volumes**2).sum() - 2, 1)  # effective number of days
    return compare_shares(totals[1], recent, totals[0], before, effects, degrees)


def _correlations(clusters: IntArray, topic: IntArray, period: IntArray, totals: IntArray) -> PairCorrelations:
    """Correlations of events in one cluster; the topics are the items, and the recent period is the group."""
    values, cluster = np.unique(clusters, return_inverse=True)
    counts = count_matrix(cluster, topic, (len(values), totals.shape[1]))
    exposure = count_matrix(cluster, period, (len(values), 2))
    return pair_correlations(counts, exposure[:, [1]], exposure.toarray(), totals.astype(np.float64))
