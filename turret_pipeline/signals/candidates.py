"""The texts that may have a class, found without reading every form of every text. The result is exact.

A class needs a probability of one half, so its score must reach that of no class. The highest score that a text can
still reach is known at any time: that of its vector, its length and the forms that were read, and for every other form
the better of having it or not. The forms are read in the order of what they can change, each only of the texts
that can still reach a class. Most texts need few, and an expression is only searched where one of its literals is.
"""

import functools
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.signals.classifier import (
    CLASSES,
    FORMS,
    NEITHER,
    PAIRS,
    Classifier,
    count_plain_features,
    join_features,
    measure_lengths,
)
from turret_pipeline.signals.forms import IN_OPENING
from turret_pipeline.signals.literals import list_needed
from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray

FAST_LITERALS = 100
"""Literals for which the Aho-Corasick automaton of polars is a table, with which it is three times as fast."""

SAMPLED_TEXTS = 1000
"""Texts from which the next form is chosen. The choice changes the time, not the result."""

ROUNDING = 1e-6
"""More than the sums of scores in different orders can differ by."""


def find_probable(
    found: Classifier, simple: pl.Series, vector_scores: FloatArray | None, least: float
) -> tuple[IntArray, FloatArray]:
    """Rows of the simplified texts with a probability of ``least`` or more, at least a half, of a class; and theirs.

    The probabilities are those of CLASSES, shape (rows, classes), as ``classify`` gives them.
    """
    search = _Search.start(found, simple, vector_scores)
    for _ in FORMS[found.kind]:
        search.read(search.choose())
    rows = search.rows
    features = join_features(found.kind, search.has[:, rows], search.lengths[rows])
    probabilities = found.weigh(features, None if vector_scores is None else vector_scores[rows])
    is_probable = np.delete(probabilities, CLASSES[found.kind].index(NEITHER), axis=1).max(axis=1, initial=0) >= least
    return rows[is_probable], probabilities[is_probable]


@dataclass
class _Search:
    """``has`` says which forms the texts have, shape (forms, texts), of the ``rows`` that are left.

    ``highest`` is the highest difference to the score of no class that a text can reach, shape (classes, texts).
    """

    found: Classifier
    simple: pl.Series
    lengths: FloatArray
    has: BoolArray
    highest: FloatArray
    rows: IntArray
    known: set[int]

    @classmethod
    def start(cls, found: Classifier, simple: pl.Series, vector_scores: FloatArray | None) -> "_Search":
        """No form is read yet."""
        weights, intercepts = _subtract_neither(found)
        forms, lengths = len(FORMS[found.kind]), measure_lengths(simple)
        constant = intercepts + np.maximum(weights[:, :forms], 0).sum(axis=1)
        constant += np.maximum(weights[:, forms + 1 :], 0).sum(axis=1)
        highest = constant[:, None] + weights[:, forms, None] * lengths
        if vector_scores is not None:
            neither = CLASSES[found.kind].index(NEITHER)
            scores = vector_scores.T.astype(np.float64)
            highest += np.delete(scores, neither, axis=0) - scores[neither]
        search = cls(
            found, simple, lengths, np.zeros((forms, len(simple)), bool), highest, np.arange(len(simple)), set()
        )
        search._drop()
        return search

    def choose(self) -> int:
        """The form that was not read yet and that lowers the highest scores most for a search, if texts lack it."""
        weights, _ = _subtract_neither(self.found)
        raised = np.maximum(weights[:, : len(FORMS[self.found.kind])], 0)
        left = self.highest[:, self.rows[:: max(len(self.rows) // SAMPLED_TEXTS, 1)]].clip(0)
        lowered = np.minimum(left[:, :, None], raised[:, None, :]).sum(axis=(0, 1))
        searches = [len(literals or [[]]) for literals in _list_literals(self.found.kind)]
        return max(set(range(len(searches))) - self.known, key=lambda form: (lowered[form] / searches[form], -form))

    def read(self, form: int) -> None:
        """Read a form of the texts that are left."""
        self.known.add(form)
        if not len(self.rows):
            return
        has = _match(self.found.kind, form, self.simple.gather(self.rows))
        self.has[form, self.rows] = has
        weights, _ = _subtract_neither(self.found)
        change = np.where(has, weights[:, form, None], 0) - np.maximum(weights[:, form, None], 0)
        for at, pair in enumerate(_index_pairs(self.found.kind)):
            if form in pair:
                other = pair[0] if pair[1] == form else pair[1]
                weight = weights[:, len(FORMS[self.found.kind]) + 1 + at, None]
                change += self._change_pair(has, other, weight)
        self.highest[:, self.rows] += change
        self._drop()

    def _change_pair(self, has: BoolArray, other: int, weight: FloatArray) -> FloatArray:
        """Change of the highest score by the pair of a form that was just read with another."""
        best = np.maximum(weight, 0)
        if other not in self.known:
            return np.where(has, 0, -best)
        return np.where(self.has[other, self.rows], np.where(has, weight, 0) - best, 0)

    def _drop(self) -> None:
        """Keep only the rows that can still reach a class."""
        self.rows = self.rows[(self.highest[:, self.rows] >= -ROUNDING).any(axis=0)]


def _subtract_neither(found: Classifier) -> tuple[FloatArray, FloatArray]:
    """Weights of the features without vectors, and intercepts, of the other classes minus those of no class."""
    neither = CLASSES[found.kind].index(NEITHER)
    weights = found.coefficients[:, : count_plain_features(found.kind)].astype(np.float64)
    intercepts = found.intercepts.astype(np.float64)
    return (
        np.delete(weights, neither, axis=0) - weights[neither],
        np.delete(intercepts, neither) - intercepts[neither],
    )


@functools.cache
def _index_pairs(kind: str) -> list[tuple[int, int]]:
    names = list(FORMS[kind])
    return [(names.index(one), names.index(other)) for one, other in PAIRS[kind]]


@functools.cache
def _list_literals(kind: str) -> list[list[list[str]] | None]:
    """The literals of each form, in lists of at most FAST_LITERALS."""
    needed = [list_needed(expression) for expression in FORMS[kind].values()]
    return [
        None
        if literals is None
        else [literals[at : at + FAST_LITERALS] for at in range(0, len(literals), FAST_LITERALS)]
        for literals in needed
    ]


def _match(kind: str, form: int, texts: pl.Series) -> BoolArray:
    """True for each text that has the form."""
    expression, literals = list(FORMS[kind].values())[form], _list_literals(kind)[form]
    if literals is None:
        return texts.str.contains(expression).to_numpy()
    has = np.zeros(len(texts), dtype=bool)
    for some in literals:
        has |= texts.str.contains_any(some).to_numpy()
    rows = np.flatnonzero(has)
    found, rest = texts.gather(rows), expression.removeprefix(IN_OPENING)
    if rest != expression:  # finding the opening once takes a quarter of the time of looking for its end at each place
        found = found.str.extract(f"({IN_OPENING})")
    has[rows] = found.str.contains(rest).to_numpy()
    return has
