"""Control of false claims over several families of tests, of which a reader sees only those with a finding."""

from collections.abc import Sequence

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD, q_values


def select_families(families: Sequence[FloatArray], level: float = Q_VALUE_THRESHOLD) -> list[FloatArray]:
    """Adjusted p-values of each family, of its shape: a finding is a claim if its value is at most ``level``.

    Follows Benjamini and Bogomolov (2014, Selective inference on multiple families of hypotheses, JRSS B 76). A family
    is selected by the Benjamini-Hochberg procedure over the Simes p-values of the families. Within the selected ones,
    q-values are divided by the share of families that are selected, because a selected family would otherwise have too
    many false claims. Then the expected share of false claims, on average over the selected families, is at most
    ``level``; if nothing differs at all, that is the probability of any claim.

    NaN stays NaN and does not count (not tested). A family without any test does not count either. The values are made
    for one level: those of families that are not selected are above it.
    """
    within = [q_values(np.ravel(family)) for family in families]
    # the smallest q-value of a family is its Simes p-value: the minimum of p * tests / rank
    simes = np.array([np.nanmin(found) if (~np.isnan(found)).any() else np.nan for found in within])
    over_families = q_values(simes)
    selected = int((over_families <= level).sum())
    weight = int((~np.isnan(simes)).sum()) / max(selected, 1)
    return [
        np.maximum(np.minimum(1, found * weight), 0 if adjusted <= level else adjusted).reshape(np.shape(family))
        for family, found, adjusted in zip(families, within, over_families, strict=True)
    ]
