"""Topic ids as texts and as a field with a number."""

import dataclasses

import pytest

from turret_pipeline.topics.topic_id import TopicId


@pytest.mark.parametrize(
    ("text", "field", "number"),
    [("prompt-3", "prompt", 3), ("user-note-12", "user-note", 12), ("a--1", "a-", 1), ("prompt-3-4", "prompt-3", 4)],
)
def test_the_number_follows_the_last_hyphen(text: str, field: str, number: int) -> None:
    found = TopicId.parse(text)
    assert (found.field, found.number) == (field, number)
    assert str(found) == text
    assert TopicId.field_of(text) == field


@pytest.mark.parametrize("text", ["", "prompt", "prompt-", "-3", "3", "prompt-x", "prompt-3 ", "prompt-other", "p-1.5"])
def test_other_texts_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Invalid topic id .*: use FIELD-NUMBER, for example prompt-3\.$"):
        TopicId.parse(text)


def test_the_field_is_known_without_a_number() -> None:
    assert TopicId.field_of("user-note-other") == "user-note"
    assert TopicId.field_of("prompt") == ""


def test_equal_ids_are_one_key_and_do_not_change() -> None:
    assert {TopicId("prompt", 3): 1}[TopicId.parse("prompt-3")] == 1
    assert TopicId("prompt", 3) != TopicId("note", 3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        TopicId("prompt", 3).number = 4  # type: ignore[misc]
