"""Quotations as labels."""

import numpy as np
import pytest

from turret_pipeline.topics.labels.clauses import split_into_clauses
from turret_pipeline.topics.labels.function_words import ENGLISH
from turret_pipeline.topics.labels.labels import label_topics
from turret_pipeline.topics.labels.quotes import Quote, choose_quotes, find_quote
from turret_pipeline.topics.labels.word_use import WordUse

ALARM = [
    "\u660e\u65e5\u306e\u671d\u4e03\u6642\u306b\u30a2\u30e9\u30fc\u30e0\u3092\u8a2d\u5b9a\u3057\u3066",
    "\u671d\u516d\u6642\u306b\u30a2\u30e9\u30fc\u30e0\u3092\u8a2d\u5b9a\u3057\u3066",
    "\u30a2\u30e9\u30fc\u30e0\u3092\u8a2d\u5b9a\u3057\u3066\u304f\u3060\u3055\u3044",
]
REFUND = ["I want a refund", "refund my order please", "where is my refund"]


def test_a_topic_in_a_language_without_spaces_is_labelled_by_a_whole_text() -> None:
    texts = [*ALARM, *REFUND]
    vectors = np.array([[1, 0, 0.2], [1, 0, 0], [1, 0, -0.1], [0, 1, 0], [0, 1, 0.1], [0, 1, 0]], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    topic = np.array([0, 0, 0, 1, 1, 1])
    names = label_topics(texts, topic, 2, vectors=vectors, languages=["ja"] * 3 + ["en"] * 3)
    assert names[0].label == f"\u201c{ALARM[1]}\u201d"
    assert "\u201c" not in names[1].label
    kept = label_topics(texts, topic, 2, known={0: "Alarm"}, vectors=vectors, languages=["ja"] * 3 + ["en"] * 3)
    assert kept[0].label == "Alarm"


@pytest.mark.parametrize(
    ("texts", "language", "quote"),
    [
        (["far", "near"], "en", "near"),
        (["ask Nadia", "near Nadia"], "en", "near Nadia"),
        (["ask her", "near Nadia"], "en", "ask her"),
        (["1 2 3", "near"], "en", "near"),
        (["1 2", "near " * 9], "en", "1 2"),
        (["a" * 30, "b"], "ja", "b"),
        (["a" * 61], "en", None),
        ([], "en", None),
    ],
)
def test_the_quote_is_the_nearest_short_text_with_words_and_without_names(
    texts: list[str], language: str, quote: str | None
) -> None:
    vectors = np.array([[1.0 if "near" in text else 0.5] for text in texts], dtype=np.float32).reshape(-1, 1)
    found = find_quote(texts, vectors, list(range(len(texts))), np.ones(1), language)
    assert (found and found.text) == quote


def test_quotes_differ_from_other_labels() -> None:
    quotes = {0: Quote("Hi", 0.9), 1: Quote("hi", 0.8), 2: Quote("bye", 0.7), 3: None}
    assert choose_quotes(quotes, ["\u201cBye\u201d", "Hi"]) == {0: "\u201cHi\u201d"}


def test_a_quotation_has_no_name_and_no_misspelled_word() -> None:
    use = WordUse()
    for text in ["ask Aisha about it", "tell Aisha", "cal me", *["call me back"] * 200]:
        use.add(split_into_clauses(text, ENGLISH), is_upper=False)
    texts = ["tell aisha", "cal me", "call me"]
    vectors = np.array([[1, 0], [0.9, 0], [0.8, 0]], np.float32)
    direction = np.array([1.0, 0.0])
    assert find_quote(texts, vectors, [0, 1, 2], direction, "en", use) == ("call me", 0.8)
    assert find_quote(texts, vectors, [0], direction, "en", use) is None
