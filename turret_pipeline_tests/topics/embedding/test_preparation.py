"""Prepared texts and their vectors."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import one_by_one
from turret_pipeline.topics.embedding.preparation import PREPARED_SCHEMA, embed_prepared, prepare_texts
from turret_pipeline.topics.embedding.windows import MAX_WINDOWS

RIVER = "The river rises in the hills and reaches the sea in the north. "


def table(*texts: str) -> pl.DataFrame:
    rows = [("prompt", f"{at}", text) for at, text in enumerate(texts)]
    return pl.DataFrame(rows, ["field", "text_id", "text"], orient="row")


def embedder(texts: Sequence[str]) -> FloatArray:
    """A vector per text: rivers, cards, and anything else."""
    return np.array([["river" in text, "card" in text, 0.1] for text in texts], dtype=np.float64)


def test_texts_that_are_read_whole_are_not_prepared() -> None:
    assert_frame_equal(prepare_texts(table("Where is\nmy card?", "", "Hi")), PREPARED_SCHEMA.to_frame())
    assert_frame_equal(prepare_texts(table().cast(pl.String)), PREPARED_SCHEMA.to_frame())


def test_a_long_text_has_windows_and_a_request() -> None:
    given = table(RIVER * 40 + "Where is my card?", RIVER * 400)
    for order in (given, given.reverse()):
        long, longer = prepare_texts(order).iter_rows(named=True)
        assert (long["text_id"], long["request"], long["is_cut"]) == ("0", "Where is my card?", False)
        assert (longer["text_id"], len(longer["windows"]), longer["is_cut"]) == ("1", MAX_WINDOWS, True)


def test_copied_passages_are_left_out_and_flagged() -> None:
    asked = [f"Where is my {word} card?" for word in ("first", "second", "third", "fourth", "fifth")]
    found = prepare_texts(table(*(RIVER + text for text in asked), "Hi"))
    assert sorted(window for windows in found["windows"] for window in windows) == sorted(asked)
    assert found["is_copy_left_out"].all()


@pytest.mark.parametrize("chunk_texts", [1, 2, 10])
def test_the_vector_of_a_long_text_is_mostly_that_of_its_request(chunk_texts: int) -> None:
    prepared = prepare_texts(
        table(RIVER * 40 + "Where is my card?", RIVER * 40, 'Lost card again """' + RIVER * 9 + '"""')
    )
    chunks = list(embed_prepared(prepared, one_by_one(embedder), chunk_texts))
    found = dict(
        zip((i for chunk in chunks for i in chunk.text_ids), np.concatenate([c.vectors for c in chunks]), strict=True)
    )
    np.testing.assert_allclose(np.linalg.norm(list(found.values()), axis=1), 1, rtol=1e-5)
    assert found["0"][1] > 2 * found["0"][0] > 0
    assert found["1"][0] > 0.9
    assert found["2"][1] > 0.9


def test_nothing_is_embedded_without_texts() -> None:
    assert list(embed_prepared(PREPARED_SCHEMA.to_frame(), one_by_one(embedder))) == []
