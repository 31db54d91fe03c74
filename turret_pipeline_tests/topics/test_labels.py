"""Texts of topics in; what the topics are called out."""

import numpy as np
import pytest

from turret_pipeline.topics.labels import examples, name_topics
from turret_pipeline_tests.topics.blobs import blobs

REFUND = ["I want a refund", "refund please", "how do I get a refund?", "Refund for the shoes"]
PASSWORD = ["reset password", "I forgot my password, reset it", "password reset does not work", "my password"]
TEXTS = [*REFUND, *PASSWORD]
TOPICS = np.repeat([0, 1], 4)


def test_a_topic_is_called_by_the_words_that_set_it_apart() -> None:
    refund, password = name_topics(TEXTS, TOPICS, 2)
    assert refund.keywords[0] == "refund"
    assert refund.label.startswith("Refund")
    assert any("password" in keyword for keyword in password.keywords[:2])
    assert "password" in password.label.lower()


def test_words_that_all_topics_share_are_weaker_than_those_of_one() -> None:
    texts = ["order refund", "order refund", "order parcel", "order parcel"]
    refund, parcel = name_topics([f"{text} {word}" for text, word in zip(texts, "abcd", strict=True)], TOPICS[2:6], 2)
    assert "refund" in refund.keywords[0]
    assert "parcel" in parcel.keywords[0]


def test_stop_words_chatter_and_numbers_are_no_keywords() -> None:
    [name] = name_topics(["hello can you please help with 12 invoices", "thanks, the invoices 7"], np.zeros(2, int), 1)
    words = {word for keyword in name.keywords for word in keyword.split()}
    assert words.isdisjoint({"hello", "please", "thanks", "12", "7"})
    assert name.label.startswith("Invoices")


def test_texts_without_a_topic_do_not_count() -> None:
    texts = [*TEXTS, "refund zebra", "zebra", "zebra"]
    with_noise = name_topics(texts, np.concatenate([TOPICS, [-1, -1, -1]]), 2)
    assert with_noise == name_topics(TEXTS, TOPICS, 2)


def test_names_do_not_depend_on_the_order_of_the_texts() -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    assert name_topics([TEXTS[at] for at in order], TOPICS[order], 2) == name_topics(TEXTS, TOPICS, 2)


@pytest.mark.parametrize("text", ["refund", "12 34", "the and of"])
def test_labels_are_unique_even_where_topics_say_the_same(text: str) -> None:
    names = name_topics([text] * 8, np.repeat([0, 1, 2, 3], 2), 4)
    assert len({name.label for name in names}) == 4
    assert all(name.label for name in names)


def test_topics_without_words_are_unnamed() -> None:
    names = name_topics(["12", "34", "??", "!!"], np.array([0, 0, 1, 1]), 2)
    assert [(name.label, name.keywords) for name in names] == [("Unnamed", []), ("Unnamed 2", [])]


def test_there_are_at_most_ten_keywords_and_none_repeats_another() -> None:
    words = "apple bear cedar delta eagle fjord grape house igloo jelly kayak lemon".split()
    [name] = name_topics(words, np.zeros(12, int), 1)
    assert len(name.keywords) == len(set(name.keywords)) == 10
    [other] = name_topics(["refund", "refunds", "refunding", "refunded"], np.zeros(4, int), 1)
    assert len(other.keywords) == 1


def test_no_topic_has_no_name() -> None:
    assert name_topics([], np.array([], dtype=int), 0) == []
    assert name_topics(["a", "b"], np.array([-1, -1]), 0) == []


def test_examples_are_the_texts_nearest_to_the_centre() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.8, -0.6], [0, 1], [0, 1], [1, 0]], dtype=np.float32)
    topic = np.array([0, 0, 0, 1, 1, -1])
    texts = ["centre", "left", "right", "one", "two", "none"]
    first, second = examples(texts, vectors, topic, 2)
    assert (first[0], sorted(first)) == ("centre", ["centre", "left", "right"])
    assert second == ["one", "two"]


def test_there_are_at_most_five_examples() -> None:
    vectors = blobs([9, 3])
    found = examples([str(at) for at in range(12)], vectors, np.repeat([0, 1], [9, 3]), 2)
    assert [len(shown) for shown in found] == [5, 3]
    assert examples([], vectors[:0], np.array([], dtype=int), 0) == []
