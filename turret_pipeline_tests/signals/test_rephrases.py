"""Pairs of prompts that say nearly the same."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.signals.rephrases import PAIRS, SIMILAR, ReadVectors, find_similar, weigh_words
from turret_pipeline.stats.array_types import FloatArray


def reader(vectors: dict[str, list[float]]) -> ReadVectors:
    """The vectors, one file per text."""

    def read(ids: pl.Series) -> Iterator[tuple[pl.Series, FloatArray]]:
        for one in ids:
            if one in vectors:
                yield pl.Series("text_id", [one]), np.array([vectors[one]], dtype=np.float32)

    return read


TEXTS = pl.DataFrame(
    {"text_id": ["a", "b", "c", "d"], "text": ["Reset my password", "reset password", "Reset my router", "Wetter"]}
)


def find(pairs: pl.DataFrame, texts: pl.DataFrame, readers: list[ReadVectors]) -> pl.DataFrame:
    """The similar pairs of texts, of which one is read at a time."""
    with_texts = pairs.unique().join(texts, on="text_id")
    with_texts = with_texts.join(texts.select(next_text_id="text_id", next_text="text"), on="next_text_id")
    return find_similar(with_texts.iter_slices(1), weigh_words(texts.select("text").iter_slices(1)), readers)


def pairs(*names: str) -> pl.DataFrame:
    """Pairs such as "ab"."""
    ids = {"text_id": [one[0] for one in names], "next_text_id": [one[1] for one in names]}
    return pl.DataFrame(ids, PAIRS)


def test_meaning_and_words_must_be_alike() -> None:
    vectors = {"a": [2.0, 0.0], "b": [3.0, 0.3], "c": [1.0, 0.1], "d": [1.0, 0.0]}
    found = find(pairs("ab", "ac", "ad", "ba"), TEXTS, [reader(vectors)])
    assert sorted(found.select("text_id", "next_text_id").rows()) == [("a", "b"), ("b", "a")]
    assert found["shared_words"].to_list() == [1.0, 1.0]
    assert all(0.99 < cosine <= 1 for cosine in found["cosine"])


def test_equal_texts_need_no_vector() -> None:
    found = find(pairs("dd", "ab", "dd"), TEXTS, [])
    assert found.rows() == [("d", "d", 1.0, 1.0)]


def test_vectors_of_different_models_are_not_compared() -> None:
    one, other = reader({"a": [1.0, 0.0]}), reader({"b": [1.0, 0.0, 0.0]})
    assert find(pairs("ab"), TEXTS, [one, other]).is_empty()
    both = reader({"a": [1.0, 0.0, 0.0], "b": [1.0, 0.0, 0.0]})
    assert find(pairs("ab"), TEXTS, [one, both])["cosine"].to_list() == [1.0]


def test_no_pairs_give_no_rows() -> None:
    found = find(pairs(), TEXTS, [reader({})])
    assert found.is_empty()
    assert found.schema == SIMILAR


def test_a_word_that_most_texts_have_counts_little() -> None:
    template = [f"please write a poem about {word}" for word in ("rain", "snow", "wind", "fog", "hail", "sun")]
    texts = pl.DataFrame({"text_id": [str(at) for at in range(6)], "text": template})
    vectors = {str(at): [1.0, 0.0] for at in range(6)}
    assert find(pairs("01", "23"), texts, [reader(vectors)]).is_empty()
