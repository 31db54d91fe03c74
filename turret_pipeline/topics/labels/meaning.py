"""What phrases mean, in the space of the texts' vectors, without asking the model that made these.

A text's vector is nearly the sum of what its words add: each word's part is found by ridge regression of the vectors on
the words of the texts, and a phrase is the sum of its words. It takes no model, so that no run loads one only to name
topics, and learns what a word means in this field.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

MOST_WORDS, LEAST_TEXTS = 1_200, 2
"""So many of the commonest words have a meaning, if so many texts have them."""

RIDGE = 1.0
"""Holds the part of a word down that few texts have: little is known of it."""


class Meanings:
    """Meanings of the words of texts: their stems are given, ``vectors`` has shape (texts, dimensions)."""

    def __init__(self, stems: Sequence[Collection[str]], vectors: FloatArray) -> None:
        counts = Counter(stem for text in stems for stem in text)
        common = [stem for stem in sorted(counts) if counts[stem] >= LEAST_TEXTS]
        common.sort(key=lambda stem: -counts[stem])
        self._number = {stem: at for at, stem in enumerate(common[:MOST_WORDS])}
        self._mean = vectors.mean(axis=0)
        words = self._words(stems)
        gram = (words.T @ words).toarray()
        gram[np.diag_indices_from(gram)] += RIDGE
        self._parts = np.linalg.solve(gram, words.T @ (vectors - self._mean))

    def of(self, phrases: Sequence[Collection[str]]) -> FloatArray:
        """Unit vector of each phrase, given by the stems of its words, shape (phrases, dimensions)."""
        return normalize_rows(np.asarray(self._words(phrases) @ self._parts + self._mean))

    def _words(self, stems: Sequence[Collection[str]]) -> sp.csr_matrix:
        """Which words a text or phrase has, rows of length 1, shape (texts, words)."""
        rows = [sorted(self._number[stem] for stem in text if stem in self._number) for text in stems]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.fromiter((at for row in rows for at in row), np.int64, ends[-1])
        data = np.repeat([max(len(row), 1) ** -0.5 for row in rows], np.diff(ends)).astype(np.float32)
        return sp.csr_matrix((data, columns, ends), (len(rows), len(self._number)))
