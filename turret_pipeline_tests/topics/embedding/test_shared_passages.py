"""Copied passages are left out; what people write alike by chance stays."""

import pytest

from turret_pipeline.topics.embedding.shared_passages import find_shared_passages, remove_shared_passages

QUESTIONS = (
    "Where is my new card?",
    "How do I close my account?",
    "My payment was charged twice.",
    "Can I change my address?",
    "Why was the transfer declined?",
    "I want to order a second card",
)
INSTRUCTIONS = (
    "You are the assistant of a bank. Answer in a friendly tone, and never mention another bank. "
    "Keep each answer below eighty words. Ask for the number of the account only if the customer agrees."
)


def clean(*texts: str) -> list[str]:
    shared = find_shared_passages(texts)
    return [" ".join(remove_shared_passages(text, shared).split()) for text in texts]


@pytest.mark.parametrize(
    "form", ["{copy}\n{own}", "{copy} {own}", "{own}\n{copy}", "{own} {copy}", "{copy}{own}\n{copy}"]
)
def test_instructions_around_every_question_are_left_out(form: str) -> None:
    assert clean(*(form.format(copy=INSTRUCTIONS + " ", own=own) for own in QUESTIONS)) == list(QUESTIONS)


def test_numbers_in_a_copy_do_not_matter() -> None:
    texts = [f"Ticket {at} of the bank was opened by you today. {own}" for at, own in enumerate(QUESTIONS)]
    assert clean(*texts) == list(QUESTIONS)


def test_a_text_that_only_consists_of_copies_stays() -> None:
    texts = [f"Order {at} has been shipped today. You get it within three days." for at in range(20)]
    assert clean(*texts) == texts


def test_a_template_with_a_name_stays() -> None:
    texts = [f"Dear {name}! Your order has been shipped today." for name in ("Ann", "Bob", "Cleo", "Dan", "Eve", "Fay")]
    assert clean(*texts) == texts


def test_few_copies_and_short_sentences_stay() -> None:
    few = [f"{INSTRUCTIONS} {own}" for own in QUESTIONS[:4]]
    assert clean(*few) == few
    short = [f"{own} Thank you very much." for own in QUESTIONS]
    assert clean(*short) == short


def test_a_short_request_that_fewer_than_half_of_the_texts_share_stays() -> None:
    others = [f"{own} Number {word} says so." for own in QUESTIONS for word in ("one", "two", "three")]
    asked = [f"Translate the following sentence into French: {own}" for own in QUESTIONS]
    assert clean(*others, *asked) == [*others, *asked]


def test_order_and_repetition_of_texts_do_not_matter() -> None:
    texts = [f"{INSTRUCTIONS} {own}" for own in QUESTIONS]
    assert find_shared_passages(texts) == find_shared_passages(texts[::-1])


def test_scripts_without_latin_letters() -> None:
    russian = "Вы помощник банка и отвечаете кратко. "
    assert clean(*(russian + own for own in QUESTIONS)) == list(QUESTIONS)
    chinese = "\u4f60\u662f\u94f6\u884c\u7684\u52a9\u624b\u8bf7\u7528\u53cb\u597d\u7684\u8bed\u6c14\u56de\u7b54\u3002"
    assert clean(*(chinese + own for own in QUESTIONS)) == list(QUESTIONS)


def test_no_texts_share_nothing() -> None:
    assert find_shared_passages([]).copied == frozenset()
    assert clean("", "Hi") == ["", "Hi"]
