"""Classes of answers and prompts: logistic regressions over the meaning of a text and its forms.

They were fitted to written examples in seven languages (benchmarks/signal_training.py), one for the vectors of each
packaged model, and one for texts of which only the forms are known. The weights travel with the package, so no run
fits anything, and equal texts have equal classes.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import polars as pl

from turret_pipeline.signals.forms import ANSWER_FORMS, PROMPT_FORMS, simplify
from turret_pipeline.stats.array_types import BoolArray, FloatArray
from turret_pipeline.tables.signals import CORRECTED, DECLINED, UNANSWERED
from turret_pipeline.topics.embedding.model_names import ENGLISH, MULTILINGUAL

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
"""Languages of the forms and of the examples. Texts in others have no class."""

ANSWER, PROMPT, NEITHER = "answer", "prompt", "neither"
CLASSES: Mapping[str, tuple[str, ...]] = {ANSWER: (DECLINED, NEITHER, UNANSWERED), PROMPT: (CORRECTED, NEITHER)}
"""Classes of each kind of text, in the order of their weights."""

MODELS = (ENGLISH, MULTILINGUAL)
FORMS_ONLY = "forms"
"""Name of the weights for texts without a vector by one of the packaged models."""

VECTOR_SCALE = 4.0
"""Weight of a unit vector against the forms, which are 0 or 1."""

VECTOR_CHARACTERS = 150
"""Length up to which a vector weighs that much, and beyond which it weighs less the longer the text is: the vector of a
long text is about its subject. Three quarters of the examples are shorter."""

FORMS: Mapping[str, Mapping[str, str]] = {ANSWER: ANSWER_FORMS, PROMPT: PROMPT_FORMS}
PAIRS: Mapping[str, Sequence[tuple[str, str]]] = {
    ANSWER: (
        ("self_cannot", "assisting"),
        ("self_cannot", "apology"),
        ("apology", "rules"),
        ("self_cannot", "not_found"),
    ),
    PROMPT: (("direct_objection", "question"), ("wrong", "request"), ("wrong", "quoted")),
}
"""Forms that mean something else together."""


@dataclass(frozen=True)
class Classifier:
    """Weights of one kind of text and one model: ``coefficients`` has shape (classes, features)."""

    kind: str
    coefficients: FloatArray
    intercepts: FloatArray

    def classify(self, texts: pl.Series, vectors: FloatArray | None = None) -> FloatArray:
        """Probabilities of CLASSES of the kind, shape (texts, classes). ``vectors`` has unit rows."""
        vector_scores = None
        if vectors is not None:
            vector_scores = self.score_vectors(vectors) * weigh_vectors(texts.str.len_chars())[:, None]
        return self.weigh(list_features(self.kind, texts), vector_scores)

    def score_vectors(self, vectors: FloatArray) -> FloatArray:
        """Scores that vectors with unit rows add to each class of short texts, shape (texts, classes)."""
        weights = VECTOR_SCALE * self.coefficients[:, count_plain_features(self.kind) :]
        return np.stack([vectors @ of_class for of_class in weights], axis=1)  # faster than one product of matrices

    def weigh(self, features: FloatArray, vector_scores: FloatArray | None) -> FloatArray:
        """Probabilities of the classes from the features of the texts without vectors, and the scores of the vectors.

        Double precision keeps a probability the same in whatever batch its text is.
        """
        scores = features.astype(np.float64) @ self.coefficients[:, : features.shape[1]].T + self.intercepts
        if vector_scores is not None:
            scores += vector_scores
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: FloatArray = weights / weights.sum(axis=1, keepdims=True)
        return probabilities


@functools.cache
def load_classifier(kind: str, model: str) -> Classifier:
    """The packaged weights for a kind of text and the vectors of a model, or for forms alone if it is another."""
    name = model if model in MODELS else FORMS_ONLY
    with (files("turret_pipeline.signals") / "weights.npz").open("rb") as file, np.load(file) as weights:
        return Classifier(kind, weights[f"{kind} {name} coefficients"], weights[f"{kind} {name} intercepts"])


def count_plain_features(kind: str) -> int:
    """Number of the features that are not those of the vector."""
    return len(FORMS[kind]) + 1 + len(PAIRS[kind])


def measure_lengths(simple: pl.Series) -> FloatArray:
    """Feature of the length of simplified texts."""
    return (simple.str.len_chars().log1p() / 5).cast(pl.Float32).to_numpy()


def list_features(kind: str, texts: pl.Series, vectors: FloatArray | None = None) -> FloatArray:
    """Features of texts, shape (texts, features): forms, length, pairs of forms, and the vector if there is one."""
    simple = texts.rename("text").to_frame().select(simplify(pl.col("text")))
    forms = simple.select(pl.col("text").str.contains(form).alias(name) for name, form in FORMS[kind].items())
    features = join_features(kind, forms.to_numpy().T, measure_lengths(simple["text"]))
    if vectors is None:
        return features
    weights = VECTOR_SCALE * weigh_vectors(texts.str.len_chars())
    return np.hstack([features, (vectors * weights[:, None]).astype(np.float32)])


def weigh_vectors(characters: pl.Series) -> FloatArray:
    """Weights of the vectors of texts with these lengths, from 0 to 1: less for long texts (VECTOR_CHARACTERS)."""
    return np.asarray(VECTOR_CHARACTERS / characters.clip(VECTOR_CHARACTERS).to_numpy(), dtype=np.float64)


def join_features(kind: str, has: BoolArray, lengths: FloatArray) -> FloatArray:
    """Features without vectors, shape (texts, features), from the forms that texts have, shape (forms, texts)."""
    names = list(FORMS[kind])
    pairs = [has[names.index(one)] & has[names.index(other)] for one, other in PAIRS[kind]]
    return np.vstack([has, lengths, *pairs]).T.astype(np.float32)
