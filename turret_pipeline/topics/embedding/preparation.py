"""The prepared form of texts: what the embedding model is given of a text, and its vector from the parts.

A prepared text lacks what was pasted or copied, and is read in windows. Its vector is the unit sum of the mean of its
windows and, for a text of several windows, its request. A text that is its own prepared form is embedded as it is.

The passages that many texts share are found in all distinct texts of a field at the time of the run. A vector that was
computed for a prepared text stays, so that later texts do not move earlier ones. A text that was embedded as it is,
and turns out to share a passage later, is embedded once more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import BulkEmbedder, Chunk, iter_chunks, normalize_rows
from turret_pipeline.topics.embedding.pasted_content import remove_pasted_content
from turret_pipeline.topics.embedding.requests import find_request
from turret_pipeline.topics.embedding.shared_passages import find_shared_passages, remove_shared_passages
from turret_pipeline.topics.embedding.windows import MAX_WINDOWS, split_into_windows

REQUEST_WEIGHT = 3.0
"""Weight of the request of a long text against all of its windows: texts of one kind are about different documents."""

MAX_CHARACTERS = 40_000
"""Characters that are read of a text: twice what the windows hold, so that a pasted document may come first."""

CHUNK_TEXTS = 256
"""Prepared texts of a chunk. They are long, and a chunk that was interrupted is repeated."""

PREPARED_SCHEMA = pl.Schema(
    {
        "text_id": pl.String(),
        "windows": pl.List(pl.String()),
        "request": pl.String(),
        "is_copy_left_out": pl.Boolean(),
        "is_cut": pl.Boolean(),
    }
)
"""Prepared texts: windows, request (empty if there is none), and flags: copied passages were left out; the text was cut
after MAX_WINDOWS windows."""

FLAGS = pl.Schema({name: PREPARED_SCHEMA[name] for name in ("text_id", "is_copy_left_out", "is_cut")})
"""The flags of prepared texts."""


@dataclass(frozen=True)
class PreparedChunk(Chunk):
    """Vectors of prepared texts, with the flags of PREPARED_SCHEMA for each of them."""

    flags: pl.DataFrame


def prepare_texts(texts: pl.DataFrame) -> pl.DataFrame:
    """Prepared form (PREPARED_SCHEMA) of those of the texts that differ from it, shortest first.

    ``texts`` has the columns field, text_id and text, where text may have line breaks. A text of several fields is
    prepared as one of the first.
    """
    parts = [_prepare_field(rows) for _, rows in sorted(texts.group_by("field"), key=lambda part: part[0])]
    if not parts:
        return PREPARED_SCHEMA.to_frame()
    length = pl.col("windows").list.join("").str.len_chars()
    return pl.concat(parts).unique("text_id", keep="first", maintain_order=True).sort(length, "text_id")


def _prepare_field(texts: pl.DataFrame) -> pl.DataFrame:
    tidy = [_tidy_spaces(text) for text in texts["text"]]
    stripped = [remove_pasted_content(_leave_out_middle(text)) for text in tidy]
    shared = find_shared_passages(stripped)
    rows = []
    for text_id, text, bare in zip(texts["text_id"], tidy, stripped, strict=True):
        rest = remove_shared_passages(bare, shared)
        windows = split_into_windows(rest)
        if rest != text or len(windows) > 1:
            request = find_request(rest) if len(windows) > 1 else ""
            read = [" ".join(window.split()) for window in windows[:MAX_WINDOWS]]
            is_cut = len(windows) > MAX_WINDOWS or len(text) > MAX_CHARACTERS
            rows.append((text_id, read, request, rest != bare, is_cut))
    return pl.DataFrame(rows, PREPARED_SCHEMA, orient="row")


def _tidy_spaces(text: str) -> str:
    """The text with single spaces and without empty lines."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _leave_out_middle(text: str) -> str:
    """The beginning and end of a text of more than MAX_CHARACTERS characters."""
    half = MAX_CHARACTERS // 2
    return text if len(text) <= MAX_CHARACTERS else f"{text[:half]}\n{text[-half:]}"


def embed_prepared(
    prepared: pl.DataFrame, embed: BulkEmbedder, chunk_texts: int = CHUNK_TEXTS
) -> Iterator[PreparedChunk]:
    """Chunks of prepared texts, embedded."""
    chunks = [*iter_chunks(prepared, prepared["windows"].list.join("").str.len_chars(), chunk_texts)]
    for chunk, vectors in zip(chunks, embed(map(_list_parts, chunks)), strict=True):
        joined = _join_vectors(chunk["windows"].to_list(), chunk["request"].to_list(), normalize_rows(vectors))
        yield PreparedChunk(chunk["text_id"].to_list(), joined, chunk.select("is_copy_left_out", "is_cut"))


def _list_parts(chunk: pl.DataFrame) -> list[str]:
    """The windows of all texts, then the requests of those that have one."""
    windows = chunk["windows"].explode().drop_nulls()
    return [*windows, *chunk["request"].filter(chunk["request"] != "")]


def _join_vectors(windows: Sequence[Sequence[str]], requests: Sequence[str], vectors: FloatArray) -> FloatArray:
    """Unit vectors of texts from those of their parts (``_list_parts``), shape (texts, dimensions)."""
    counts = [len(of_text) for of_text in windows]
    starts = np.cumsum([0, *counts[:-1]])
    joined = normalize_rows(np.add.reduceat(vectors[: sum(counts)], starts, axis=0))
    asked = [at for at, request in enumerate(requests) if request]
    joined[asked] += REQUEST_WEIGHT * vectors[sum(counts) :]
    return normalize_rows(joined)
