"""An embedder for tests: the vector of a text is the sum of fixed random vectors of its words."""

import re
import zlib
from collections.abc import Sequence

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.labels.phrases import stem_word

DIMENSIONS = 128
IGNORED = frozenset("a an the my i to of can you please want is for in and".split())


def embed_words(texts: Sequence[str]) -> FloatArray:
    """Unit vectors of the texts, shape (texts, dimensions)."""
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in sorted(set(re.findall(r"\w+", text.lower())) - IGNORED):
            seed = zlib.crc32(stem_word(word).encode())
            vectors[row] += np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return normalize_rows(vectors)
