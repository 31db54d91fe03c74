"""Comparison of the shares of two groups: difference, interval and p-value, and q-values over many comparisons.

A design effect says how much correlated events inflate the variance (see effects). Counts divided by it are effective
counts: the numbers of independent events with the same information.

Distributions are those of scipy.special: scipy.stats gives the same bits, but takes over a second to import, and spends
most of its time on few values with checks of its arguments.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from turret_pipeline.stats.array_types import FloatArray

CONFIDENCE = 0.95

Q_VALUE_THRESHOLD = 0.05
"""Q-value up to which a difference counts as more than chance: 5 % of such rows are expected to be false."""


@dataclass(frozen=True)
class Comparison:
    """Difference of two shares, its confidence interval and its p-values, all of one shape.

    ``p_greater`` is the one-sided p-value of a larger share in the first group, ``p_value`` is two-sided.
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
    degrees_of_freedom: ArrayLike = np.inf,
) -> Comparison:
    """Comparison of count / total with other_count / other_total, for arrays that broadcast; both totals are above 0.

    ``design_effect`` is at least 1. ``degrees_of_freedom`` (clusters - 1) are those of its estimate: intervals and
    p-values follow Student's t. Intervals of shares of 0 or 1 have a positive width.
    """
    from scipy.special import ndtri, stdtr, stdtrit

    count, total, other_count, other_total, effect = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.float64) for values in (count, total, other_count, other_total, design_effect))
    )
    low, high = _newcombe_interval(
        count,
        total,
        other_count,
        other_total,
        effect,
        stdtrit(np.asarray(degrees_of_freedom, dtype=np.float64), 0.5 + CONFIDENCE / 2),
    )
    greater, less = (
        stdtr(degrees_of_freedom, ndtri(tail))
        for tail in _tail_p_values(count, total, other_count, other_total, effect)
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

    ``design_effect`` is at least 1. Intervals of shares of 0 or 1 have a positive width.
    """
    from scipy.special import ndtri

    count, total, effect = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.float64) for values in (count, total, design_effect))
    )
    return _wilson_interval(count / total, total / effect, np.asarray(ndtri(0.5 + CONFIDENCE / 2)))


def _newcombe_interval(
    count: FloatArray,
    total: FloatArray,
    other_count: FloatArray,
    other_total: FloatArray,
    effect: FloatArray,
    critical: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Interval of a difference from the Wilson intervals of both shares (Newcombe 1998, method 10)."""
    one, other = count / total, other_count / other_total
    low, high = _wilson_interval(one, total / effect, critical)
    other_low, other_high = _wilson_interval(other, other_total / effect, critical)
    return (
        one - other - np.hypot(one - low, other_high - other),
        one - other + np.hypot(high - one, other - other_low),
    )


def _wilson_interval(share: FloatArray, total: FloatArray, critical: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Score interval of a share of ``total`` events, which may be a fraction."""
    square = critical**2 / total
    center = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.minimum(center - half, share), np.maximum(center + half, share)


def _tail_p_values(
    count: FloatArray, total: FloatArray, other_count: FloatArray, other_total: FloatArray, effect: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """P-values of a larger and of a smaller share if both groups have the same: binomial tails on effective counts.

    Follows Korn and Graubard (1998) for small counts in surveys: the tail of the exact distribution instead of the
    normal one, with the effective number of trials. The trials are the smallest of four sets: either group, the counted
    events, or the others. They are drawn from a finite whole, which raises their effective number.
    """
    from scipy.special import betainc, betaincc

    whole, hits = total + other_total, count + other_count
    margins = np.stack([total, other_total, hits, whole - hits])
    smallest = np.argmin(margins, axis=0)[None]
    trials = np.take_along_axis(margins, smallest, 0)[0]
    cell = np.take_along_axis(np.stack([count, other_count, count, total - count]), smallest, 0)[0]
    chance = np.where(smallest[0] < 2, hits, total) / whole
    weight = 1 / ((1 - trials / whole) * effect)
    trials, cell = trials * weight, cell * weight
    with np.errstate(invalid="ignore"):
        upper = np.where(cell > 0, betainc(cell, trials - cell + 1, chance), 1.0)
        lower = np.where(cell < trials, betaincc(cell + 1, np.maximum(trials - cell, 0), chance), 1.0)
    is_reversed = smallest[0] % 2 == 1  # fewer events in the other group, or fewer misses, mean a larger share
    return np.where(is_reversed, lower, upper), np.where(is_reversed, upper, lower)


def q_values(p_values: FloatArray) -> FloatArray:
    """Q-values of one family of p-values (Benjamini and Hochberg 1995). NaN stays NaN and does not count.

    Of all rows with a q-value of at most 0.05, 5 % are expected to be false discoveries.
    """
    q_value = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    falling = known[np.argsort(p_values[known], kind="stable")[::-1]]
    ranks = np.arange(len(falling), 0, -1)
    q_value[falling] = np.minimum(np.minimum.accumulate(p_values[falling] * (len(falling) / ranks)), 1.0)
    return q_value


def bound_p_values(q_values_of_family: FloatArray) -> FloatArray:
    """Upper bounds of the p-values that have these q-values (``q_values``) in one family of comparisons.

    The bound is exact for the largest p-value among equal q-values. With it, a part of a family can be tested as a
    family of its own, which its q-values do not allow. NaN stays NaN and does not count.
    """
    known = ~np.isnan(q_values_of_family)
    values = np.sort(q_values_of_family[known])
    ranks = np.searchsorted(values, q_values_of_family, side="right")
    return np.where(known, q_values_of_family * ranks / max(len(values), 1), np.nan)
