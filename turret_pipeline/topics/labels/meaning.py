"""Vectors of phrases in the space of the texts' vectors, without the embedding model.

The vector of a text is nearly the sum of vectors of its words. Ridge regression of the texts' vectors on their words
finds these, and the vector of a phrase is the sum of its words' vectors. No run has to load a model only to label
topics, and words have the meaning that they have in this field.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

MAX_WORDS, MIN_TEXTS = 1_200, 2
"""Words with a vector: the most frequent ones, in at least MIN_TEXTS texts."""

RIDGE = 1.0
"""Shrinks the vectors of words in few texts, which are uncertain."""


class PhraseEmbedder:
    """Vectors of phrases, learned from the stems and the ``vectors`` of texts, shape (texts, dimensions)."""

    def __init__(self, stems: Sequence[Collection[str]], vectors: FloatArray) -> None:
        counts = Counter(stem for text in stems for stem in text)
        common = [stem for stem in sorted(counts) if counts[stem] >= MIN_TEXTS]
        common.sort(key=lambda stem: -counts[stem])
        self._number = {stem: at for at, stem in enumerate(common[:MAX_WORDS])}
        self._mean = vectors.mean(axis=0)
        words = self._words(stems)
        gram = (words.T @ words).toarray()
        gram[np.diag_indices_from(gram)] += RIDGE
        self._word_vectors = np.linalg.solve(gram, words.T @ (vectors - self._mean))

    def embed(self, phrases: Sequence[Collection[str]]) -> FloatArray:
        """Unit vectors of phrases, given by the stems of their words, shape (phrases, dimensions)."""
        return normalize_rows(np.asarray(self._words(phrases) @ self._word_vectors + self._mean))

    def _words(self, stems: Sequence[Collection[str]]) -> sp.csr_matrix:
        """Words of each text or phrase, as rows of length 1, shape (texts, words)."""
        rows = [sorted(self._number[stem] for stem in text if stem in self._number) for text in stems]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.fromiter((at for row in rows for at in row), np.int64, ends[-1])
        data = np.repeat([max(len(row), 1) ** -0.5 for row in rows], np.diff(ends)).astype(np.float32)
        return sp.csr_matrix((data, columns, ends), (len(rows), len(self._number)))
