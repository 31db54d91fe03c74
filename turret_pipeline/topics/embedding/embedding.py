"""Unit vectors of texts. Each distinct text is embedded once, in chunks that an interrupted run reproduces.

The last digit of a dot product depends on the shape of its batch. Texts are therefore cut into chunks in a fixed order,
and a chunk is stored whole or not at all: a run after an interruption continues with the same chunks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray

Embedder = Callable[[Sequence[str]], FloatArray]
"""Texts to vectors, shape (texts, dimensions)."""

BulkEmbedder = Callable[[Iterable[Sequence[str]]], Iterator[FloatArray]]
"""Lists of texts to the vectors of each list, in order."""

CHUNK_TEXTS, CHUNK_CHARACTERS = 1024, 80_000
"""Limits of a chunk, which a kill repeats: less than a minute of embedding on one processor."""

SAME_VECTOR_COSINE = 1 - 1e-5
"""Minimum cosine of vectors that count as equal: vectors computed in different batches differ in the last digits."""


@dataclass(frozen=True)
class Chunk:
    """Unit vectors of a chunk of texts: ``vectors`` has one row for each of ``text_ids``."""

    text_ids: list[str]
    vectors: FloatArray


def select_texts_to_embed(texts: pl.DataFrame, known_ids: pl.Series) -> pl.DataFrame:
    """Distinct text_id and text without a vector, shortest first, so that batches need little padding."""
    missing = texts.select("text_id", "text").unique("text_id")
    return missing.join(known_ids.to_frame("text_id"), on="text_id", how="anti").sort(
        pl.col("text").str.len_chars(), "text_id"
    )


def one_by_one(embedder: Embedder) -> BulkEmbedder:
    """A function that embeds lists of texts one after the other."""
    return lambda lists: (np.asarray(embedder(texts), dtype=np.float32) for texts in lists)


def embed_chunks(texts: pl.DataFrame, embed: BulkEmbedder, chunk_texts: int = CHUNK_TEXTS) -> Iterator[Chunk]:
    """Chunks of the texts, embedded."""
    chunks = [*iter_chunks(texts, texts["text"].str.len_chars(), chunk_texts)]
    for chunk, vectors in zip(chunks, embed(chunk["text"].to_list() for chunk in chunks), strict=True):
        yield Chunk(chunk["text_id"].to_list(), normalize_rows(vectors))


def iter_chunks(rows: pl.DataFrame, characters: pl.Series, chunk_texts: int) -> Iterator[pl.DataFrame]:
    """The rows in consecutive chunks of at most ``chunk_texts`` rows and, if they are several, CHUNK_CHARACTERS.

    ``characters`` has the length of each row.
    """
    start = size = 0
    for row, length in enumerate(characters):
        if row > start and (row - start == chunk_texts or size + length > CHUNK_CHARACTERS):
            yield rows[start:row]
            start, size = row, 0
        size += length
    if start < rows.height:
        yield rows[start:]


def normalize_rows(vectors: FloatArray) -> FloatArray:
    """Rows scaled to length 1. Rows of zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


def has_distinct_vectors(vectors: FloatArray, count: int) -> bool:
    """True if at least ``count`` of the unit vectors differ.

    Spellings of one text can have the same vector, for example in a model that ignores case.
    """
    is_left = np.ones(len(vectors), dtype=bool)
    for _ in range(count):
        if not is_left.any():
            return False
        is_left &= vectors @ vectors[is_left.argmax()] < SAME_VECTOR_COSINE
    return True
