"""Shares of two groups: difference, interval and p-value, from counts and a design effect; q-values over many of them.

The design effect says by how much events that hang together inflate the variance (see effects). Counts divided by it
are what as many independent events would tell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from turret_pipeline.stats.array_types import FloatArray

CONFIDENCE = 0.95

LEVEL = 0.05
"""Q-value up to which a difference is told: of such rows, 5 % are expected to be chance."""


@dataclass(frozen=True)
class Comparison:
    """The share of a group minus that of the other, its confidence interval, and p-values; all of one shape.

    ``p_greater`` is one-sided (is the share of the group larger than chance explains?), ``p_value`` two-sided.
    """

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    p_greater: FloatArray
    p_value: FloatArray


def compare_shares(
    count: ArrayLike,
    total: ArrayLike,
    other_count: ArrayLike,
    other_total: ArrayLike,
    design_effect: ArrayLike = 1.0,
    degrees: ArrayLike = np.inf,
) -> Comparison:
    """count / total against other_count / other_total, for arrays that broadcast; both totals are above 0.

    ``design_effect`` is at least 1. ``degrees`` are the degrees of freedom that it was estimated with (clusters - 1):
    with few, intervals and p-values are those of Student's t. A share of 0 or 1 has an interval of some width too.
    """
    from scipy import stats

    count, total, other_count, other_total, effect = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (count, total, other_count, other_total, design_effect))
    )
    low, high = _newcombe(
        count, total, other_count, other_total, effect, stats.t.ppf(0.5 + CONFIDENCE / 2, np.asarray(degrees))
    )
    greater, less = (
        stats.t.sf(stats.norm.isf(tail), degrees) for tail in _tails(count, total, other_count, other_total, effect)
    )
    return Comparison(
        difference=count / total - other_count / other_total,
        low=low,
        high=high,
        p_greater=greater,
        p_value=np.minimum(1.0, 2 * np.minimum(greater, less)),
    )


def share_interval(count: ArrayLike, total: ArrayLike, design_effect: ArrayLike = 1.0) -> tuple[FloatArray, FloatArray]:
    """Ends of the 95 % interval of count / total (Wilson 1927), for arrays that broadcast; totals are above 0.

    A share of 0 or 1 has an interval of some width too. ``design_effect`` is at least 1.
    """
    from scipy import stats

    count, total, effect = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (count, total, design_effect))
    )
    return _wilson(count / total, total / effect, np.asarray(stats.norm.ppf(0.5 + CONFIDENCE / 2)))


def _newcombe(
    count: FloatArray,
    total: FloatArray,
    other_count: FloatArray,
    other_total: FloatArray,
    effect: FloatArray,
    critical: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Interval of a difference from the Wilson intervals of both shares (Newcombe 1998, method 10)."""
    one, other = count / total, other_count / other_total
    low, high = _wilson(one, total / effect, critical)
    other_low, other_high = _wilson(other, other_total / effect, critical)
    return (
        one - other - np.hypot(one - low, other_high - other),
        one - other + np.hypot(high - one, other - other_low),
    )


def _wilson(share: FloatArray, total: FloatArray, critical: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Score interval of a share of ``total`` events, which need not be a whole number."""
    square = critical**2 / total
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.minimum(middle - half, share), np.maximum(middle + half, share)


def _tails(
    count: FloatArray, total: FloatArray, other_count: FloatArray, other_total: FloatArray, effect: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """P-values of "larger" and "smaller" where both groups have one share: binomial tails on effective counts.

    As Korn and Graubard (1998) do for small counts of surveys: the tail of the exact distribution, not of the normal
    one, with as many trials as the data are worth. The trials are the rarest of: a group, the events counted, those
    not counted; that they are drawn from a finite whole makes them worth more.
    """
    from scipy.special import betainc, betaincc

    whole, hits = total + other_total, count + other_count
    margins = np.stack([total, other_total, hits, whole - hits])
    rarest = np.argmin(margins, axis=0)[None]
    trials = np.take_along_axis(margins, rarest, 0)[0]
    cell = np.take_along_axis(np.stack([count, other_count, count, total - count]), rarest, 0)[0]
    chance = np.where(rarest[0] < 2, hits, total) / whole
    worth = 1 / ((1 - trials / whole) * effect)
    trials, cell = trials * worth, cell * worth
    with np.errstate(invalid="ignore"):
        upper = np.where(cell > 0, betainc(cell, trials - cell + 1, chance), 1.0)
        lower = np.where(cell < trials, betaincc(cell + 1, np.maximum(trials - cell, 0), chance), 1.0)
    is_turned = rarest[0] % 2 == 1  # fewer trials elsewhere, or fewer misses, speak for the group
    return np.where(is_turned, lower, upper), np.where(is_turned, upper, lower)


def q_values(p_values: FloatArray) -> FloatArray:
    """Benjamini and Hochberg's q-values of one family (1995); not a number stays so and does not count.

    Of all rows with a q-value of at most 0.05, 5 % are expected to be chance.
    """
    from scipy import stats

    found = np.full(len(p_values), np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        found[known] = stats.false_discovery_control(p_values[known], method="bh")
    return found
