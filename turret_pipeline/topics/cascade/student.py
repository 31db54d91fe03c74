"""The student: a cheap function from texts to vectors that was trained on vectors of the full model.

It reads a text as the mean of the vectors that the full model gives its words one by one (static vectors, as Model2Vec
by Tulkens and van Dongen, 2024), and as its frequent words and pairs of neighbouring words. A ridge regression takes
both to the vector that the full model gives the whole text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.cascade.words import HashArray, WordRows, read_words, select_frequent
from turret_pipeline.topics.embedding.embedding import normalize_rows

MAX_PHRASES, MIN_PHRASE_COUNT = 4096, 3
"""Number of phrases whose part in a vector is learned, and how often each is in the training texts at least."""

COMMON_SHARE = 1e-3
"""Share of all words at which a word counts half as much as a rare one (Arora, Liang, Ma: A Simple but Tough-to-Beat
Baseline for Sentence Embeddings, 2017)."""

RIDGE = 1.0
"""Shrinks the regression where the training texts say little."""

BLOCK_TEXTS = 4096
"""Texts that are read at a time, to limit memory."""


@dataclass(frozen=True)
class StaticVectors:
    """Sorted hashes of frequent words, the unit vector by the full model of each, and its share of all words."""

    words: HashArray
    vectors: FloatArray
    shares: FloatArray


@dataclass(frozen=True)
class Student:
    """Static vectors, sorted hashes of the phrases, and a linear map from the features of a text to its vector."""

    static: StaticVectors
    phrases: HashArray
    weights: FloatArray
    bias: FloatArray

    def predict(self, texts: Sequence[str]) -> FloatArray:
        """Predicted vectors, shape (texts, dimensions). The less the student knows of a text, the shorter they are."""
        blocks = [np.empty((0, len(self.bias)), dtype=np.float32)]
        dense_count = self.weights.shape[0] - len(self.phrases)
        for rows in _read_blocks(texts):
            with threadpool_limits(1, "blas"):  # so that the number of threads does not decide the last digits
                known = _read_dense(rows, self.static) @ self.weights[:dense_count]
                blocks.append(known + _read_phrases(rows, self.phrases) @ self.weights[dense_count:] + self.bias)
        return np.concatenate(blocks)


def _read_blocks(texts: Sequence[str]) -> Iterator[WordRows]:
    for start in range(0, len(texts), BLOCK_TEXTS):
        yield read_words(texts[start : start + BLOCK_TEXTS])


def train_student(texts: Sequence[str], vectors: FloatArray, static: StaticVectors) -> Student:
    """A student that predicts ``vectors``, shape (texts, dimensions), the unit vectors of the texts."""
    rows = read_words(texts)
    phrases, _ = select_frequent(rows.phrases(), MAX_PHRASES, MIN_PHRASE_COUNT)
    with threadpool_limits(1, "blas"):
        weights, bias = _regress(_read_dense(rows, static), _read_phrases(rows, phrases), vectors)
    return Student(static, phrases, weights, bias)


def _read_dense(rows: WordRows, static: StaticVectors) -> FloatArray:
    """Two unit means of the static vectors, one with rare words counting more, the length, and the share of words that
    are known, shape (texts, 2 * dimensions + 2)."""
    counts = rows.count_in(static.words)
    rarity = (1 / (1 + static.shares / COMMON_SHARE)).astype(np.float32)
    means = [normalize_rows(matrix @ static.vectors) for matrix in (counts, counts @ sp.diags_array(rarity))]
    length = np.maximum(rows.counts, 1)
    facts = np.column_stack([np.log(length), np.asarray(counts.sum(axis=1)).ravel() / length])
    return np.hstack([*means, facts.astype(np.float32)])


def _read_phrases(rows: WordRows, phrases: HashArray) -> sp.csr_matrix:
    """The phrases of each text as rows of length 1, shape (texts, phrases)."""
    found = rows.phrases().count_in(phrases)
    found.data[:] = 1
    found.sum_duplicates()
    found.data = np.repeat(1 / np.sqrt(np.maximum(np.diff(found.indptr), 1)), np.diff(found.indptr)).astype(np.float32)
    return found


def _regress(dense: FloatArray, phrases: sp.csr_matrix, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights, shape (features, dimensions), and bias of the ridge regression on both kinds of features."""
    count, wide = len(targets), dense.astype(np.float64)
    cross = (phrases.T @ wide).T
    gram = np.block([[wide.T @ wide, cross], [cross.T, (phrases.T @ phrases).toarray()]])
    mean = np.concatenate([wide.mean(axis=0), np.asarray(phrases.mean(axis=0)).ravel()])
    target_mean = targets.mean(axis=0, dtype=np.float64)
    gram -= count * np.outer(mean, mean)
    gram[np.diag_indices_from(gram)] += RIDGE
    moments = np.concatenate([wide.T @ targets, phrases.T @ targets]) - count * np.outer(mean, target_mean)
    weights = scipy.linalg.solve(gram, moments, assume_a="pos", overwrite_a=True, overwrite_b=True)
    return weights.astype(np.float32), (target_mean - mean @ weights).astype(np.float32)
