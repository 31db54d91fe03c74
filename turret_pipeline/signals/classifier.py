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
from turret_pipeline.stats.array_types import FloatArray
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

_FORMS: Mapping[str, Mapping[str, str]] = {ANSWER: ANSWER_FORMS, PROMPT: PROMPT_FORMS}
_PAIRS: Mapping[str, Sequence[tuple[str, str]]] = {
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
        scores = list_features(self.kind, texts, vectors) @ self.coefficients.T + self.intercepts
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: FloatArray = weights / weights.sum(axis=1, keepdims=True)
        return probabilities


@functools.cache
def load_classifier(kind: str, model: str) -> Classifier:
    """The packaged weights for a kind of text and the vectors of a model, or for forms alone if it is another."""
    name = model if model in MODELS else FORMS_ONLY
    with (files("turret_pipeline.signals") / "weights.npz").open("rb") as file, np.load(file) as weights:
        return Classifier(kind, weights[f"{kind} {name} coefficients"], weights[f"{kind} {name} intercepts"])


def list_features(kind: str, texts: pl.Series, vectors: FloatArray | None = None) -> FloatArray:
    """Features of texts, shape (texts, features): forms, pairs of forms, length, and the vector if there is one."""
    simple = texts.rename("text").to_frame().select(simplify(pl.col("text")))
    forms = [pl.col("text").str.contains(form).cast(pl.Float32).alias(name) for name, form in _FORMS[kind].items()]
    length = (pl.col("text").str.len_chars().log1p() / 5).cast(pl.Float32).alias("length")
    pairs = [(pl.col(one) * pl.col(other)).alias(f"{one} {other}") for one, other in _PAIRS[kind]]
    features = simple.select(*forms, length).with_columns(pairs).to_numpy()
    return features if vectors is None else np.hstack([features, VECTOR_SCALE * vectors])
