"""Texts to unit vectors: each distinct text once in its life, in chunks that do not depend on what came before.

The sum of a dot product differs in its last digit with the shape of a batch. Texts that wait are therefore cut into
chunks in one fixed order, and a chunk is kept or lost whole: a run that was killed goes on with the same chunks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray

Embedder = Callable[[Sequence[str]], FloatArray]
"""Texts to vectors, shape (texts, dimensions)."""

CHUNK_TEXTS = 1024


@dataclass(frozen=True)
class Chunk:
    """Vectors of some texts: ``vectors`` has a unit row for each of ``text_ids``."""

    text_ids: list[str]
    vectors: FloatArray


def waiting_texts(texts: pl.DataFrame, known_ids: pl.Series) -> pl.DataFrame:
    """Distinct text_id and text that have no vector yet, short ones first so that a batch wastes little padding."""
    missing = texts.select("text_id", "text").unique("text_id")
    return missing.join(known_ids.to_frame("text_id"), on="text_id", how="anti").sort(
        pl.col("text").str.len_chars(), "text_id"
    )


def embed_chunks(waiting: pl.DataFrame, embedder: Embedder, chunk_texts: int = CHUNK_TEXTS) -> Iterator[Chunk]:
    """Embed the waiting texts, a chunk at a time."""
    for chunk in waiting.iter_slices(chunk_texts):
        yield Chunk(chunk["text_id"].to_list(), unit(np.asarray(embedder(chunk["text"].to_list()), dtype=np.float32)))


SAME = 1 - 1e-5
"""Cosine from which on two vectors are the same: what is computed in another batch differs in the last digits."""


def unit(vectors: FloatArray) -> FloatArray:
    """Rows scaled to length one; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


def has_kinds(vectors: FloatArray, count: int) -> bool:
    """Whether so many of the unit vectors are not the same: a text in five spellings is one of a model without case."""
    left = np.ones(len(vectors), dtype=bool)
    for _ in range(count):
        if not left.any():
            return False
        left &= vectors @ vectors[left.argmax()] < SAME
    return True
