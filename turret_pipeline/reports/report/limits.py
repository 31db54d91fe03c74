"""Limits that a sentence can state exactly: numbers are compared with the rounded limit that is printed."""

from decimal import Decimal
from typing import Literal

import numpy as np
import polars as pl

MAX_DIGITS = 17
"""Significant digits that hold any floating-point number."""


def round_limit(limit: float, values: pl.Series, *, is_inclusive: bool) -> float:
    """The limit with the fewest significant digits, at least 2, that split the values nearly as the limit does.

    ``values`` are finite. Those above the limit are split from the others, with ``is_inclusive`` also those equal to
    it. At most 1 % of the smaller part changes sides, as sentences state whole percents.
    """
    ordered = np.sort(values.to_numpy())
    side: Literal["left", "right"] = "left" if is_inclusive else "right"
    below = int(np.searchsorted(ordered, limit, side))
    smaller = min(below, len(ordered) - below)
    for digits in range(2, MAX_DIGITS):
        rounded = float(f"{limit:.{digits}g}")
        if 100 * abs(int(np.searchsorted(ordered, rounded, side)) - below) <= smaller:
            return rounded
    return limit


def format_limit(limit: float) -> str:
    """The number with all its digits and without an exponent, such as 1,234,567 or 0.03."""
    return f"{Decimal(repr(limit)).normalize():,f}"
