"""The class of each distinct text: answers that refuse or do not answer, and prompts that object."""

from collections.abc import Mapping, Sequence

import polars as pl

from turret_pipeline.signals.classifier import CLASSES, FORMS_ONLY, LANGUAGES, MODELS, NEITHER, load_classifier
from turret_pipeline.signals.rephrases import ReadVectors
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

BLOCK_TEXTS = 100_000


def classify_texts(kind: str, texts: pl.DataFrame, readers: Mapping[str, ReadVectors]) -> pl.DataFrame:
    """Columns text_id and a probability per class of the kind, for the texts in a language with forms.

    ``texts`` has text_id, text and language, once each. ``readers`` give the vectors by the name of their model: those
    of the packaged models are used, and of other texts only the forms.
    """
    schema = pl.Schema({"text_id": pl.String()} | dict.fromkeys(_scored(kind), pl.Float64()))
    rest = texts.filter(pl.col("language").is_in(LANGUAGES) | pl.col("language").is_null()).sort("text_id")
    parts = [schema.to_frame()]
    for model in (model for model in MODELS if model in readers):
        for ids, vectors in readers[model](rest["text_id"]):
            rows = ids.to_frame("text_id").join(rest, on="text_id", how="left", maintain_order="left")
            parts.append(_score(kind, model, rows, normalize_rows(vectors)))
        done = pl.concat(parts).select("text_id")
        rest = rest.join(done, on="text_id", how="anti", maintain_order="left")
    parts += [_score(kind, FORMS_ONLY, rows, None) for rows in rest.iter_slices(BLOCK_TEXTS)]
    return pl.concat(parts)


def _score(kind: str, model: str, rows: pl.DataFrame, vectors: FloatArray | None) -> pl.DataFrame:
    probabilities = load_classifier(kind, model).classify(rows["text"], vectors)
    columns = [
        pl.Series(name, probabilities[:, at], pl.Float64)
        for at, name in enumerate(CLASSES[kind])
        if name in _scored(kind)
    ]
    return rows.select("text_id").with_columns(columns)


def _scored(kind: str) -> Sequence[str]:
    return [name for name in CLASSES[kind] if name != NEITHER]
