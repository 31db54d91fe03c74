"""Model that reads each text of a field, and the vectors of all its texts in one space.

One model reads most texts of a field: its main model. Texts that only the multilingual model reads are embedded by it,
and a linear map takes their vectors to the space of the main model. The map is learned from texts that both models
read, as words of two languages are aligned (Mikolov, Le, Sutskever: Exploiting Similarities among Languages, 2013).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import AUTO, ENGLISH, MULTILINGUAL

VectorLookup = Callable[[pl.Series, str], FloatArray]
"""Text ids and the name of a model to unit vectors, shape (texts, dimensions)."""

MULTILINGUAL_READING: Mapping[str, float] = {
    "en": 1.0, "pt": 0.84, "ru": 0.84, "es": 0.83, "it": 0.83, "th": 0.83, "zh": 0.82, "fr": 0.82, "nl": 0.81,
    "ja": 0.81, "de": 0.80, "id": 0.79, "ar": 0.78, "pl": 0.77, "ko": 0.76, "ms": 0.75, "tr": 0.70, "gl": 0.69,
    "uk": 0.61, "ca": 0.53, "af": 0.48, "bg": 0.41, "be": 0.40, "da": 0.38, "sr": 0.34, "no": 0.34, "mk": 0.32,
    "sv": 0.31, "ro": 0.26, "bs": 0.23, "hr": 0.23, "sl": 0.23, "cs": 0.22, "fa": 0.18, "vi": 0.17, "sk": 0.17,
    "hi": 0.16,    "hu": 0.12, "fi": 0.12, "el": 0.09, "he": 0.08,
}  # fmt: skip
"""Mean cosine of requests in a language to the same requests in English, measured by benchmarks/languages.py. Languages
that are not here were not measured and are taken as unread."""

READING: Mapping[str, Mapping[str, float]] = {ENGLISH: {"en": 1.0}, MULTILINGUAL: MULTILINGUAL_READING}
"""Quality with which a model reads each language, 0 to 1. Models that are not here are taken to read all languages."""

MIN_READING = 0.2
"""Least value of READING for a language that is read: twice the cosine of requests with different meanings."""

MIN_MAIN_SHARE = 0.1
"""Share of texts that the English model must read to be the main model of a field: the map learns from them."""

REFERENCE_TEXTS = 1000
"""Texts from which the map is learned: twice the dimensions of the multilingual model."""

RIDGE = 1.0
"""Shrinks the map in directions in which the reference texts hardly differ."""


@dataclass(frozen=True)
class Reading:
    """The ``main`` model of a field, and the model that reads each of its texts, None if none does."""

    main: str
    models: list[str | None]

    @property
    def is_read(self) -> BoolArray:
        """True for each text that a model reads, shape (texts,)."""
        return np.array([model is not None for model in self.models], dtype=bool)

    @property
    def name(self) -> str:
        """Names of the models in use, the main model first."""
        others = {model for model in self.models if model is not None} - {self.main}
        return " + ".join([self.main, *sorted(others)])


def measure_reading(model: str, language: str | None) -> float | None:
    """Quality with which a model reads a language, 0 to 1; None if the model's is unknown, or without a language."""
    if language is None or model not in READING:
        return None
    return READING[model].get(language, 0.0)


def plan_reading(languages: pl.Series, setting: str, known: str | None = None) -> Reading:
    """The model that reads each text, from the language of each text and the setting ``embedding_model``.

    ``known`` is the ``name`` of the models with which the topics of the field were found; its main model is kept.
    """
    main = _select_main_model(languages, known) if setting == AUTO else setting
    usable = [main, MULTILINGUAL] if setting == AUTO else [main]
    by_language = {
        language: next((model for model in usable if reads_language(model, language)), None)
        for language in languages.unique()
    }
    return Reading(main, [by_language[language] for language in languages])


def _select_main_model(languages: pl.Series, known: str | None) -> str:
    if known is not None and (main := known.split(" + ", maxsplit=1)[0]) in READING:
        return main
    is_read = [reads_language(ENGLISH, language) for language in languages]
    return ENGLISH if sum(is_read) >= MIN_MAIN_SHARE * len(is_read) else MULTILINGUAL


def reads_language(model: str, language: str | None) -> bool:
    """True if the model reads the language well enough, or if that is unknown."""
    reading = measure_reading(model, language)
    return reading is None or reading >= MIN_READING


def select_texts_of_models(text_ids: pl.Series, reading: Reading) -> dict[str, pl.Series]:
    """Ids of the texts that each model must embed for a field. ``text_ids`` are in the order of the reading."""
    models = pl.Series(reading.models, dtype=pl.String)
    texts = {str(model): text_ids.filter(models == model) for model in models.drop_nulls().unique().sort()}
    for model in texts.keys() - {reading.main}:
        texts[model] = pl.concat([texts[model], _select_references(text_ids, reading)])
    return texts


def _select_references(text_ids: pl.Series, reading: Reading) -> pl.Series:
    """The texts that both models embed: those with the lowest ids, which are hashes. Later runs have most of them."""
    return text_ids.filter(pl.Series(reading.models, dtype=pl.String) == reading.main).sort().head(REFERENCE_TEXTS)


def read_vectors(text_ids: pl.Series, reading: Reading, look_up: VectorLookup) -> FloatArray:
    """Unit vectors of the texts that a model reads, in their order and in the space of the main model."""
    models = pl.Series(reading.models, dtype=pl.String).drop_nulls()
    read = text_ids.filter(pl.Series(reading.is_read))
    of_main = look_up(read.filter(models == reading.main), reading.main)
    if (models == reading.main).all():
        return of_main
    vectors = np.empty((len(read), of_main.shape[1]), dtype=np.float32)
    vectors[(models == reading.main).to_numpy()] = of_main
    references = _select_references(text_ids, reading)
    for model in models.filter(models != reading.main).unique():
        own = look_up(read.filter(models == model), model)
        learned = look_up(references, model), look_up(references, reading.main)
        vectors[(models == model).to_numpy()] = map_vectors(own, *learned)
    return vectors


def map_vectors(vectors: FloatArray, sources: FloatArray, targets: FloatArray) -> FloatArray:
    """Unit vectors in the space of ``targets``, by the linear map that takes ``sources`` nearly there.

    ``sources`` and ``targets`` are vectors of the same texts by two models. The map is a ridge regression.
    """
    source_mean, target_mean = sources.mean(axis=0, dtype=np.float64), targets.mean(axis=0, dtype=np.float64)
    centred = sources - source_mean
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += RIDGE
    weights = np.linalg.solve(gram, centred.T @ (targets - target_mean))
    return normalize_rows(np.asarray((vectors - source_mean) @ weights + target_mean, dtype=np.float32))
