"""Vectors of phrases."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.labels.meaning import PhraseEmbedder

WORDS = {word: at for at, word in enumerate(["card", "lost", "refund", "late"])}


def vectors_of(stems: list[set[str]]) -> FloatArray:
    """Vectors of texts, the sums of the directions of their words."""
    return normalize_rows(np.array([np.eye(4)[[WORDS[stem] for stem in sorted(text)]].sum(axis=0) for text in stems]))


def test_a_phrase_is_near_the_texts_that_have_its_words() -> None:
    stems = [{"card"}, {"card", "lost"}, {"lost"}, {"refund"}, {"refund", "late"}, {"late"}, {"card", "late"}] * 10
    found = PhraseEmbedder(stems, vectors_of(stems)).embed([{"card", "lost"}, {"refund"}, {"late", "refund"}])
    right = vectors_of([{"card", "lost"}, {"refund"}, {"late", "refund"}])
    assert (found @ right.T).argmax(axis=1).tolist() == [0, 1, 2]
    assert (found * right).sum(axis=1).min() > 0.9


def test_rare_words_have_the_mean_vector_of_all_texts() -> None:
    stems = [{"card"}, {"card"}, {"lost"}]
    vectors = vectors_of(stems)
    found = PhraseEmbedder(stems, vectors).embed([{"lost"}, {"never seen"}, set()])
    assert found == pytest.approx(np.repeat(normalize_rows(vectors.mean(axis=0, keepdims=True)), 3, axis=0))


def test_texts_without_words_have_no_word_vectors() -> None:
    assert PhraseEmbedder([set(), set()], vectors_of([{"card"}, {"lost"}])).embed([{"card"}]).shape == (1, 4)
