"""Groups of texts that differ in numbers, ids, punctuation and case only."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding import near_duplicates
from turret_pipeline.topics.embedding.near_duplicates import find_template, group_near_duplicates
from turret_pipeline_tests.topics.blobs import blobs, scattered


def group(*texts: str, vectors: FloatArray | None = None) -> list[int]:
    """Group of each text, numbered in order of appearance."""
    found = group_near_duplicates(texts, scattered(len(texts)) if vectors is None else vectors)
    names: dict[int, int] = {}
    return [names.setdefault(int(number), len(names)) for number in found]


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("Order 1234 has NOT arrived!", "order has not arrived"),
        ("order #98-76 has not arrived", "order has not arrived"),
        ("Ticket 3f2b9c04-1d1e-4b6f-9a0c-5e6f7a8b9c0d is open", "ticket is open"),
        ("Commit deadbeef fails", "commit fails"),
        ("Write to ann@example.com or see https://example.com/a?b=1", "write to or see"),
        ("Größe 42 fehlt", "grösse fehlt"),
        ("12345 - 67!", ""),
        ("", ""),
    ],
)
def test_the_template_of_a_text_has_its_words_only(text: str, template: str) -> None:
    assert find_template(text) == template.casefold()


def test_texts_with_other_numbers_ids_case_or_punctuation_are_one_group() -> None:
    assert group("Order 12 is late", "Where is it", "order 977 is late!", "ORDER X99 is late?") == [0, 1, 0, 0]


def test_other_words_are_another_group() -> None:
    assert group("Order 12 is late", "Order 12 is lost", "Is order 12 late") == [0, 1, 2]


def test_texts_without_words_are_not_alike() -> None:
    assert group("123", "456", "?!") == [0, 1, 2]


def test_texts_with_the_same_vector_are_one_group() -> None:
    vectors = np.concatenate([blobs([2], noise=0), scattered(2)])
    assert group("Hello", "Good morning", "Refund", "Invoice", vectors=vectors) == [0, 0, 1, 2]


def test_pairs_compared_in_parts_give_the_same_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.concatenate([blobs([3, 2, 4], noise=0), scattered(3)])
    words = "one two three four five six seven eight nine ten eleven twelve".split()
    whole = group(*words, vectors=vectors)
    monkeypatch.setattr(near_duplicates, "PAIRS_AT_ONCE", 2)
    assert group(*words, vectors=vectors) == whole == [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 5]


def test_the_order_of_the_texts_does_not_matter() -> None:
    texts, vectors = ["Call 1", "Refund", "call 2", "Invoice"], scattered(4)
    straight, backwards = group(*texts, vectors=vectors), group(*reversed(texts), vectors=vectors[::-1])
    same = [[one == other for other in straight] for one in straight]
    assert [[one == other for other in backwards[::-1]] for one in backwards[::-1]] == same


def test_one_text_and_none_have_groups() -> None:
    assert group("Hello") == [0]
    assert group() == []


NAMES = ("Anna", "Peter", "Maria", "John", "Omar")
SURNAMES = ("Brown", "Green", "Lopez", "Smith", "Haddad")


def test_texts_that_differ_in_names_of_persons_are_one_group() -> None:
    texts = [
        f"Hi {name}, please call Mr {surname} today or tomorrow" for name, surname in zip(NAMES, SURNAMES, strict=True)
    ]
    assert group(*texts, "Hi Anna Brown, please call Mr Smith today or tomorrow", "Refund please") == [0] * 6 + [1]
    backwards = group("Refund please", *reversed(texts))
    assert backwards == [0] + [1] * 5


def test_few_names_and_short_wordings_make_other_texts() -> None:
    assert group(*(f"Hi {name}, please call me today or tomorrow" for name in NAMES[:4])) == [0, 1, 2, 3]
    assert group(*(f"Hi {name}, call me" for name in NAMES)) == [0, 1, 2, 3, 4]


def test_places_make_other_texts() -> None:
    places = ("Boston", "Denver", "Paris", "Rome", "Oslo")
    assert group(*(f"Please book me a flight to {place} for tomorrow" for place in places)) == [0, 1, 2, 3, 4]


def test_names_in_other_scripts_are_found() -> None:
    names = ("Анна", "Пётр", "Мария", "Иван", "Олег")
    assert group(*(f"Dear {name}, позвоните мне сегодня или завтра утром" for name in names)) == [0] * 5
