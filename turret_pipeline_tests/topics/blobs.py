"""Well separated clusters of unit vectors, around directions at right angles."""

from collections.abc import Sequence

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

DIMENSIONS = 32


def blobs(sizes: Sequence[int], first: int = 0, noise: float = 0.08, seed: int = 0) -> FloatArray:
    """Vectors around the directions ``first``, ``first`` + 1 and so on: ``sizes`` has the number for each."""
    generator = np.random.default_rng(seed)
    centres = np.repeat(np.eye(DIMENSIONS)[first : first + len(sizes)], sizes, axis=0)
    return normalize_rows(centres + generator.normal(0, noise, centres.shape))


def scattered(count: int, seed: int = 1) -> FloatArray:
    """Outliers: each vector in a direction of its own, apart from those of the first 16 blobs."""
    vectors = np.eye(DIMENSIONS)[DIMENSIONS - count :] + np.random.default_rng(seed).normal(
        0, 0.03, (count, DIMENSIONS)
    )
    return normalize_rows(vectors)
