"""Texts in; unit vectors in chunks out."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import (
    CHUNK_CHARACTERS,
    Chunk,
    embed_chunks,
    normalize_rows,
    one_by_one,
    select_texts_to_embed,
)

SCHEMA = {"field": pl.String(), "text_id": pl.String(), "text": pl.String()}
TEXTS = pl.DataFrame(
    [("prompt", f"{number:02}", "word " * (number * 7 % 11 + 1)) for number in range(23)], SCHEMA, orient="row"
)


def embedder(texts: Sequence[str]) -> FloatArray:
    """Vectors that depend on the rest of the batch, like those of real models."""
    return np.array([[len(text), 1 + at, len(texts)] for at, text in enumerate(texts)], dtype=np.float64)


def known(*text_ids: str) -> pl.Series:
    return pl.Series("text_id", text_ids, pl.String)


def same(one: Chunk, other: Chunk) -> bool:
    return one.text_ids == other.text_ids and one.vectors.tobytes() == other.vectors.tobytes()


def test_texts_without_a_vector_are_selected_shortest_first() -> None:
    rows = [("prompt", "4", "long text"), ("prompt", "3", "b"), ("prompt", "2", "b2"), ("note", "1", "a")]
    texts = pl.DataFrame([*rows, ("note", "4", "long text")], SCHEMA, orient="row")
    expected = pl.DataFrame({"text_id": ["1", "3", "4"], "text": ["a", "b", "long text"]})
    for order in (texts, texts.reverse()):
        assert_frame_equal(select_texts_to_embed(order, known("2", "9")), expected)


def test_known_texts_are_not_selected() -> None:
    assert select_texts_to_embed(TEXTS, TEXTS["text_id"]).is_empty()
    assert select_texts_to_embed(TEXTS.clear(), known()).is_empty()
    assert list(embed_chunks(select_texts_to_embed(TEXTS.clear(), known()), one_by_one(embedder))) == []


def test_every_text_gets_a_unit_vector_in_its_chunk() -> None:
    waiting = select_texts_to_embed(TEXTS, known())
    chunks = list(embed_chunks(waiting, one_by_one(embedder), chunk_texts=10))
    assert [len(chunk.text_ids) for chunk in chunks] == [10, 10, 3]
    assert [text_id for chunk in chunks for text_id in chunk.text_ids] == waiting["text_id"].to_list()
    for chunk in chunks:
        assert chunk.vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(chunk.vectors, axis=1), 1, rtol=1e-6)


def test_long_texts_are_in_small_chunks_which_a_kill_repeats() -> None:
    rows = [("prompt", f"{number}", "long " * (CHUNK_CHARACTERS // 15)) for number in range(4)]
    texts = pl.DataFrame([*rows, ("prompt", "5", "long " * CHUNK_CHARACTERS)], SCHEMA, orient="row")
    chunks = list(embed_chunks(select_texts_to_embed(texts, known()), one_by_one(embedder)))
    assert [len(chunk.text_ids) for chunk in chunks] == [3, 1, 1]


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_chunks_after_an_interruption_equal_those_of_an_uninterrupted_run(done: int) -> None:
    uninterrupted = list(embed_chunks(select_texts_to_embed(TEXTS, known()), one_by_one(embedder), chunk_texts=10))
    kept = uninterrupted[:done]
    ids = known(*(text_id for chunk in kept for text_id in chunk.text_ids))
    after = list(embed_chunks(select_texts_to_embed(TEXTS.reverse(), ids), one_by_one(embedder), chunk_texts=10))
    assert len(kept) + len(after) == len(uninterrupted)
    assert all(map(same, kept + after, uninterrupted))


def test_rows_are_scaled_to_length_1_and_zeros_stay() -> None:
    found = normalize_rows(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]]))
    np.testing.assert_allclose(found, np.array([[0.6, 0.8], [0.0, 0.0], [0.0, -1.0]]), rtol=1e-6)
    assert normalize_rows(np.empty((0, 3))).shape == (0, 3)
