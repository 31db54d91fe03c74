"""Labels from pieces of texts, rated by the embedding model."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.labels.labels import TopicLabel, label_topics
from turret_pipeline_tests.topics.labels.word_vectors import embed_words

LOST = [
    "Can you please report my lost card?",
    "I want to report a lost card",
    "report a lost card for me",
    "I need to report the lost card of my wife",
    "lost card, report it",
]
PASSWORD = [
    "I want to reset my password",
    "please reset my password",
    "resetting my password fails",
    "how do I reset the password",
    "can I reset a password online",
]
CHART = [
    "Can you make a bar chart of sales",
    "please make a bar chart of costs",
    "I want to make a bar chart of visits",
    "make a bar chart of the profit",
    "make a bar chart of our orders",
]
GERMAN = ["ich möchte meine Karte sperren", "bitte die Karte sperren", "wie kann ich eine Karte sperren"]
FRENCH = ["je voudrais annuler ma commande", "annuler la commande", "je veux annuler une commande"]
TRANSLATE = [
    f"please translate this letter to {language}" for language in ("French", "Dutch", "Danish", "Thai", "Polish")
]


def label(*topics: list[str], **options: object) -> list[TopicLabel]:
    texts = [text for topic in topics for text in topic]
    numbers = np.repeat(np.arange(len(topics)), [len(topic) for topic in topics])
    return label_topics(texts, numbers, len(topics), vectors=embed_words(texts), embed=embed_words, **options)  # type: ignore[arg-type]


def texts_of(names: list[TopicLabel]) -> list[str]:
    return [name.label for name in names]


def test_a_label_names_act_and_object() -> None:
    assert texts_of(label(LOST, PASSWORD, CHART)) == ["Report lost card", "Reset password", "Make bar chart"]


def test_a_word_that_differs_from_text_to_text_is_left_out() -> None:
    assert texts_of(label(TRANSLATE, PASSWORD))[0] == "Translate letter"


def test_an_imperative_replaces_a_gerund() -> None:
    resetting = ["resetting my password", "resetting a password now", "resetting password", *PASSWORD[:2]]
    assert texts_of(label(resetting, LOST))[0] == "Reset password"


def test_names_after_titles_and_greetings_are_in_no_label() -> None:
    letters = [f"Dear Mrs Lindqvist, write reply to Mrs Lindqvist about invoice {number}" for number in range(5)]
    names = label(letters, LOST)
    assert "lindqvist" not in " ".join([names[0].label, *names[0].keywords, *names[0].phrases]).lower()


def test_excluded_words_are_in_no_label() -> None:
    sell = ["sell shoes on Acme", "I want to sell shoes on Acme", "sell my shoes on ACME please", "sell shoes on Acme"]
    names = label(sell, LOST, excluded_words=["acme"])
    assert names[0].label == "Sell shoes"
    assert "acme" not in " ".join([*names[0].keywords, *names[0].phrases]).lower()


def test_phrases_of_a_description_differ() -> None:
    mixed = [*LOST, "block the stolen card", "block my stolen card", "card thief at the station"]
    phrases = label(mixed, PASSWORD)[0].phrases
    assert len(phrases) == len({phrase.casefold() for phrase in phrases}) == 3


def test_labels_do_not_depend_on_the_order_of_the_texts_or_on_noise() -> None:
    texts = [*LOST, *PASSWORD, *CHART]
    topic = np.repeat([0, 1, 2], 5)
    vectors = embed_words(texts)
    first = label_topics(texts, topic, 3, vectors=vectors, embed=embed_words)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(texts))
        noise = np.random.default_rng(seed).normal(0, 1e-5, vectors.shape).astype(np.float32)
        again = label_topics(
            [texts[at] for at in order], topic[order], 3, vectors=(vectors + noise)[order], embed=embed_words
        )
        assert again == first


def test_labels_are_unique_even_if_topics_have_the_same_texts() -> None:
    names = texts_of(label(LOST, LOST, PASSWORD))
    assert len(set(names)) == 3


def test_known_topics_keep_their_label_without_the_model() -> None:
    def fail(texts: object) -> FloatArray:
        raise AssertionError(texts)

    texts = [*LOST, *PASSWORD]
    names = label_topics(texts, np.repeat([0, 1], 5), 2, known={0: "A", 1: "B"}, vectors=embed_words(texts), embed=fail)
    assert texts_of(names) == ["A", "B"]


def test_a_topic_without_a_good_phrase_is_labelled_with_a_text_in_quotation_marks() -> None:
    names = label(["5 380", "5 380 1", "5 380 2", "5 380 3"], LOST)
    assert names[0].label == "\u201c5 380\u201d"


@pytest.mark.parametrize("texts", [["", " ", "!"], ["a"], ["same", "same", "same"]])
def test_topics_with_hardly_any_words_have_a_label(texts: list[str]) -> None:
    names = label(texts, LOST)
    assert names[0].label
    assert names[1].label == "Report lost card"


def test_no_topics_have_no_labels() -> None:
    assert label_topics([], np.array([], dtype=int), 0, vectors=np.zeros((0, 3), np.float32), embed=embed_words) == []


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (
            GERMAN,
            "Karte sperren",
        ),
        (
            FRENCH,
            "Annuler commande",
        ),
        (["quiero cancelar mi pedido", "cancelar el pedido", "necesito cancelar un pedido"], "Cancelar pedido"),
        (["ik wil mijn pakket volgen", "kan ik het pakket volgen", "mijn pakket volgen"], "Pakket volgen"),
    ],
)
def test_other_languages_have_labels_without_function_words(texts: list[str], name: str) -> None:
    assert texts_of(label(texts, LOST))[0] == name


def test_a_topic_in_two_languages_is_labelled_in_the_commonest() -> None:
    names = label([*GERMAN, "I want to block my card"], LOST, languages=[*["de"] * 3, *["en"] * 6])
    assert names[0].label == "Karte sperren"


def test_a_topic_in_a_language_that_the_model_does_not_read_keeps_its_keyword_label() -> None:
    languages = ["de"] * len(GERMAN) + ["en"] * len(CHART)
    given: list[str] = []

    def remember(texts: object) -> FloatArray:
        given.extend(texts)  # type: ignore[arg-type]
        return embed_words(texts)  # type: ignore[arg-type]

    texts = [*GERMAN, *CHART]
    numbers = np.array([0] * len(GERMAN) + [1] * len(CHART))
    names = label_topics(
        texts,
        numbers,
        2,
        vectors=embed_words(texts),
        embed=remember,
        languages=languages,
        reads_language=lambda language: language == "en",
    )
    assert names[1].label == "Make bar chart"
    assert "arte" in names[0].label
    assert not any("sperren" in text for text in given)


def test_a_topic_in_several_languages_is_labelled_in_the_commonest() -> None:
    texts = [*GERMAN, *FRENCH[:2]]
    languages = ["de"] * len(GERMAN) + ["fr"] * 2
    (name,) = label_topics(
        texts, np.zeros(5, dtype=int), 1, vectors=embed_words(texts), embed=embed_words, languages=languages
    )
    assert name.label == "Karte sperren"


def test_of_languages_that_are_nearly_as_common_the_commonest_of_the_field_is_used() -> None:
    texts = [*GERMAN, *FRENCH, *CHART]
    languages = ["de"] * 3 + ["fr"] * 3 + ["fr"] * 5
    topic = np.array([0] * 6 + [1] * 5)
    names = label_topics(texts, topic, 2, vectors=embed_words(texts), embed=embed_words, languages=languages)
    assert "ommande" in names[0].label
