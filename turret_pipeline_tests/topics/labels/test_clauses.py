"""Clauses of texts, and the places where a phrase may start and end."""

import numpy as np
import pytest

from turret_pipeline.topics.labels.clauses import split_into_clauses
from turret_pipeline.topics.labels.function_words import (
    ENGLISH,
    commonest_language,
    derive_function_words,
    detect_language,
    select_function_words,
)
from turret_pipeline.topics.labels.topic_texts import select_texts


def phrases(text: str, language: str | None = "en") -> set[str]:
    """Phrases of two words or more that start and end where a phrase may."""
    found = set()
    for clause in split_into_clauses(text, select_function_words(language)):
        for start, first in enumerate(clause):
            for end in range(start + 1, len(clause)):
                if first.may_start and clause[end].may_end:
                    found.add(" ".join(token.lower for token in clause[start : end + 1]))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Can you please make a bar chart of the sales?", {"make bar chart of sales", "bar chart of sales"}),
        ("I was wondering if I could cancel my order", {"cancel order"}),
        ("My card has not arrived", {"card not arrived"}),
        ("hello, I lost my card and need help", {"lost card"}),
        ("I can't log in to my account", {"can't log", "can't log in to account"}),
        ("how long does a delivery take", set()),
        ("Dear Mrs Miller,\nplease send the invoice", {"send invoice"}),
        ("why won't the ATM give cash", set()),
        ("", set()),
        ("12 34 !?", set()),
    ],
)
def test_phrases_are_whole(text: str, expected: set[str]) -> None:
    assert phrases(text) == expected


def test_excluded_words_end_a_clause() -> None:
    clauses = split_into_clauses("sell shoes Acme today", ENGLISH, frozenset({"acm"}))
    assert [[token.lower for token in clause] for clause in clauses] == [["sell", "shoes"]]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I want to cancel my order", "en"),
        ("ich möchte meine Karte sperren", "de"),
        ("je voudrais annuler ma commande", "fr"),
        ("quiero cancelar mi pedido", "es"),
        ("gostaria de cancelar meu pedido", "pt"),
        ("vorrei annullare il mio ordine", "it"),
        ("ik wil mijn bestelling annuleren", "nl"),
        ("хочу отменить заказ", None),
        ("", None),
    ],
)
def test_languages_are_detected_from_function_words(text: str, language: str | None) -> None:
    assert detect_language(text) == language


def test_the_commonest_language_is_the_known_one_of_most_texts() -> None:
    assert commonest_language(["de", "en", "de", None]) == "de"
    assert commonest_language(["en", "de"]) == "de"
    assert commonest_language([None, None, None, None, "en"]) is None
    assert commonest_language([]) is None


def test_words_of_most_topics_are_function_words_of_an_unknown_language() -> None:
    topics = [[f"хочу слово{topic}"] * 5 for topic in range(4)]
    assert derive_function_words(topics) == {"хочу"}
    assert derive_function_words(topics[:3]) == frozenset()


def test_function_words_of_a_language_without_a_list_come_from_its_topics() -> None:
    subjects = ("fatura", "kargo", "parola", "iade", "adres")
    texts = [f"neden {subject} {number}" for subject in subjects for number in range(5)]
    read = select_texts(texts, np.repeat(range(5), 5), 5, ["tr"] * len(texts))
    assert all("neden" in words.separators for words in read.words)
