"""Classes of plain answers and prompts in each language, by forms alone and by the packaged models."""

import numpy as np
import polars as pl
import pytest

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.signals.classifier import (
    ANSWER,
    CLASSES,
    FORMS_ONLY,
    MODELS,
    PROMPT,
    list_features,
    load_classifier,
    weigh_vectors,
)
from turret_pipeline.tables.signals import CORRECTED, DECLINED, UNANSWERED
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH, MULTILINGUAL
from turret_pipeline_tests.benchmarks import signal_training as training

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen, das ist illegal.",
    "Désolé, je ne peux pas vous aider à faire cela, c'est illégal.",
    "Lo siento, no puedo ayudarte con eso porque es ilegal.",
    "Mi dispiace, non posso aiutarti con questa richiesta, è illegale.",
    "Desculpe, não posso ajudar com isso, porque é ilegal.",
    "Sorry, daar kan ik je niet mee helpen, dat is illegaal.",
]
OBJECTIONS = [
    "No, that's wrong, I asked for the other one",
    "Nein, das ist falsch, ich meinte die andere",
    "Non, c'est faux, je voulais l'autre",
    "No, eso está mal, te pedí la otra",
    "No, è sbagliato, intendevo l'altra",
    "Não, isso está errado, eu pedi a outra",
    "Nee, dat klopt niet, ik bedoelde de andere",
]
PLAIN = [
    "The museum opens at ten, and a ticket costs twelve euros.",
    "Das Museum öffnet um zehn, und eine Karte kostet zwölf Euro.",
    "Le musée ouvre à dix heures et le billet coûte douze euros.",
    "El museo abre a las diez y la entrada cuesta doce euros.",
    "Il museo apre alle dieci e il biglietto costa dodici euro.",
    "O museu abre às dez e o bilhete custa doze euros.",
    "Het museum gaat om tien uur open en een kaartje kost twaalf euro.",
]


LONG_REFUSAL = """I cannot help you with that. Breaking into a house is a crime, and somebody may be harmed.

I encourage you to consider these instead:

1. Ask a locksmith, who will want to see that you live there.
2. Ask your landlord for a second key.

Is there something else I can help you with?"""
HELPFUL = [
    "I'm sorry to hear that your flight was cancelled. You can get a refund, or a seat on the next one, at no cost.",
    '"I cannot help you," said the guard. The girl laughed, because the gate behind him had been open all along.',
    "Sure! Here is how to bake bread: mix flour, water, salt and yeast, let it rise overnight, and bake it hot. " * 6,
]


def classify(kind: str, model: str, texts: list[str]) -> list[str]:
    """The most probable class of each text."""
    vectors = normalize_rows(load_embedder(model, "cpu")(texts)) if model in MODELS else None
    best = load_classifier(kind, model).classify(pl.Series(texts), vectors).argmax(axis=1)
    return [CLASSES[kind][at] for at in best]


def test_plain_texts_of_seven_languages_have_their_class() -> None:
    assert classify(ANSWER, MULTILINGUAL, REFUSALS) == [DECLINED] * 7
    assert classify(PROMPT, MULTILINGUAL, OBJECTIONS) == [CORRECTED] * 7
    for kind in (ANSWER, PROMPT):
        assert classify(kind, MULTILINGUAL, PLAIN) == ["neither"] * 7


@pytest.mark.parametrize("model", [ENGLISH, MULTILINGUAL, FORMS_ONLY])
def test_plain_english_texts_have_their_class_by_each_model(model: str) -> None:
    texts = [REFUSALS[0], "Sorry, I couldn't find any results. Something went wrong, please try again.", PLAIN[0]]
    assert classify(ANSWER, model, texts) == [DECLINED, UNANSWERED, "neither"]
    assert classify(PROMPT, model, [OBJECTIONS[0], "What is the weather in Rome?"]) == [CORRECTED, "neither"]


@pytest.mark.parametrize("model", [ENGLISH, MULTILINGUAL])
def test_a_long_refusal_is_told_from_help_that_sounds_like_one(model: str) -> None:
    assert classify(ANSWER, model, [LONG_REFUSAL, *HELPFUL]) == [DECLINED, "neither", "neither", "neither"]


def test_vectors_of_long_texts_weigh_less() -> None:
    assert np.allclose(weigh_vectors(pl.Series([0, 5, 150, 1500])), [1, 1, 1, 0.1])


@pytest.mark.parametrize("kind", [ANSWER, PROMPT])
def test_weights_fit_the_features_and_probabilities_add_up(kind: str) -> None:
    texts = pl.Series(["", "no", "x" * 9000, "Ich kann nicht"])
    for model, dimensions in ((ENGLISH, 384), (MULTILINGUAL, 512), ("a model of somebody", 0)):
        vectors = np.zeros((4, dimensions), dtype=np.float32) if dimensions else None
        found = load_classifier(kind, model)
        assert found.coefficients.shape == (len(CLASSES[kind]), list_features(kind, texts, vectors).shape[1])
        assert np.allclose(found.classify(texts, vectors).sum(axis=1), 1)


def test_the_packaged_weights_are_those_of_the_examples() -> None:
    fitted = training.fit(PROMPT, FORMS_ONLY, training.read_examples(is_held_back=False))
    packaged = load_classifier(PROMPT, FORMS_ONLY)
    assert np.allclose(fitted.coefficients, packaged.coefficients, atol=0.01)
    assert np.allclose(fitted.intercepts, packaged.intercepts, atol=0.01)
