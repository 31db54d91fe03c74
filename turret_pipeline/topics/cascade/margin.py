"""Doubtful texts: those whose topic the student may get wrong, told by the margin between the two nearest centroids."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

MIN_EQUAL_SHARE = 0.98
"""Share of held-out texts that must have the nearest centroid that they have with the full model. It is above the 97 %
that are wanted, because the topics of all texts are finer than those of the sample."""


@dataclass(frozen=True)
class Doubt:
    """Unit centroids of topics, shape (topics, dimensions), and the margin below which a text is doubtful."""

    centroids: FloatArray
    min_margin: float

    def is_doubtful(self, predicted: FloatArray) -> BoolArray:
        """True for texts that the full model must read, shape (texts,), from the vectors that a student predicted."""
        return measure_margins(predicted, self.centroids) < self.min_margin


def measure_margins(predicted: FloatArray, centroids: FloatArray) -> FloatArray:
    """Difference between the two highest products with the centroids, shape (texts,); infinite for a single centroid.

    The vectors are those that a student predicted, unscaled: those of texts that it knows little of are short, and so
    are their margins.
    """
    if len(centroids) < 2:
        return np.full(len(predicted), np.inf, dtype=np.float32)
    products = np.partition(predicted @ centroids.T, -2, axis=1)
    return np.asarray(products[:, -1] - products[:, -2])


def calibrate_doubt(predicted: FloatArray, vectors: FloatArray, centroids: FloatArray) -> Doubt:
    """The lowest margin with which MIN_EQUAL_SHARE of the texts have the centroid that they have with the full model.

    ``vectors`` are the vectors by the full model of texts that the student did not learn from.
    """
    if len(centroids) < 2 or not len(predicted):
        return Doubt(centroids, 0.0)
    is_wrong = (normalize_rows(predicted) @ centroids.T).argmax(axis=1) != (vectors @ centroids.T).argmax(axis=1)
    wrong = np.sort(measure_margins(predicted, centroids)[is_wrong])[::-1]
    allowed = int((1 - MIN_EQUAL_SHARE) * len(predicted))
    return Doubt(centroids, 0.0 if len(wrong) <= allowed else float(np.nextafter(wrong[allowed], np.inf)))
