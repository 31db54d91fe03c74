"""The texts of a class: answers that refuse or do not answer, and prompts that object."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from turret_pipeline.signals.candidates import find_probable
from turret_pipeline.signals.classifier import (
    CLASSES,
    FORMS_ONLY,
    LANGUAGES,
    MODELS,
    NEITHER,
    Classifier,
    load_classifier,
    weigh_vectors,
)
from turret_pipeline.signals.forms import simplify
from turret_pipeline.signals.rephrases import ReadVectors
from turret_pipeline.signals.threads import map_batches

MIN_PROBABILITY = 0.5

BLOCK_TEXTS = 100_000
"""Texts that a thread classifies at a time."""

SECTION_BYTES = 400_000_000
"""Memory of the texts that are read at a time. The vectors are read once for each such section."""


def find_classes(kind: str, batches: Iterable[pl.DataFrame], readers: Mapping[str, ReadVectors]) -> pl.DataFrame:
    """Columns text_id and a probability per class of the kind: the texts with a class, and those that have none.

    ``batches`` have text_id, text (its first MAX_CHARACTERS are enough), its number of characters, and language. A text
    of a class has a probability of at least MIN_PROBABILITY; one in a language without forms has null. All others are
    of no class, and are left out. ``readers`` give the vectors by the name of their model: those of the packaged models
    are used, and of other texts only the forms.
    """
    schema = pl.Schema({"text_id": pl.String()} | dict.fromkeys(_list_scored(kind), pl.Float64()))
    has_forms = pl.col("language").is_in(LANGUAGES) | pl.col("language").is_null()
    parts, others = [schema.to_frame()], []
    for section in _read_sections(batches):
        others.append(section.filter(~has_forms).select("text_id"))
        parts += _classify_section(kind, section.filter(has_forms).select("text_id", "text", "characters"), readers)
    found = pl.concat(parts).unique("text_id", maintain_order=True)
    others_of_all = pl.concat([schema.to_frame().select("text_id"), *others]).unique()
    return pl.concat([found, others_of_all.join(found, on="text_id", how="anti")], how="diagonal")


def _list_scored(kind: str) -> Sequence[str]:
    return [name for name in CLASSES[kind] if name != NEITHER]


def _read_sections(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The texts, simplified, in frames of about SECTION_BYTES."""
    held: list[pl.DataFrame] = []
    for batch in map_batches(lambda batch: batch.with_columns(simplify(pl.col("text"))), batches):
        held.append(batch)
        if sum(frame.estimated_size() for frame in held) >= SECTION_BYTES:
            yield pl.concat(held)
            held = []
    if held:
        yield pl.concat(held)


def _classify_section(kind: str, texts: pl.DataFrame, readers: Mapping[str, ReadVectors]) -> Iterator[pl.DataFrame]:
    """The texts of a class, each by the first model that has a vector of it, or else by the forms alone."""
    rest = texts
    for model in (model for model in MODELS if model in readers):
        scores = _score_vectors(load_classifier(kind, model), readers[model](rest["text_id"]))
        joined = rest.join(scores, on="text_id", how="left", maintain_order="left")
        yield from _classify_blocks(kind, model, joined.drop_nulls("scores"))
        rest = joined.filter(pl.col("scores").is_null()).drop("scores")
    yield from _classify_blocks(kind, FORMS_ONLY, rest)


def _score_vectors(found: Classifier, batches: Iterable[tuple[pl.Series, np.ndarray]]) -> pl.DataFrame:
    """Columns text_id and scores, an array with what the vector of the text adds to the score of each class."""
    classes = len(CLASSES[found.kind])
    schema = pl.Schema({"text_id": pl.String(), "scores": pl.Array(pl.Float32(), classes)})
    parts = [schema.to_frame()]
    for ids, vectors in batches:
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        scores = found.score_vectors(vectors) / np.where(lengths == 0, 1, lengths)[:, None]
        parts.append(pl.DataFrame({"text_id": ids, "scores": scores.astype(np.float32, copy=False)}, schema))
    return pl.concat(parts)


def _classify_blocks(kind: str, model: str, texts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    found = load_classifier(kind, model)
    yield from map_batches(lambda block: _classify_block(found, block), texts.iter_slices(BLOCK_TEXTS))


def _classify_block(found: Classifier, texts: pl.DataFrame) -> pl.DataFrame:
    has_scores = "scores" in texts.columns
    scores = texts["scores"].to_numpy() * weigh_vectors(texts["characters"])[:, None] if has_scores else None
    rows, probabilities = find_probable(found, texts["text"], scores, MIN_PROBABILITY)
    columns = [
        pl.Series(name, probabilities[:, at], pl.Float64)
        for at, name in enumerate(CLASSES[found.kind])
        if name != NEITHER
    ]
    return texts.select("text_id")[rows].with_columns(columns)
