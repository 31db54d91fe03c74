"""General subjects as labels."""

from collections.abc import Sequence

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.labels.labels import label_topics
from turret_pipeline.topics.labels.subjects import SUBJECTS, rank_subjects

CAPITALS = [
    "name the capital of peru",
    "is lima big",
    "which city governs chad",
    "where does norway have its parliament",
]
LOST = [
    "please report my lost card",
    "I want to report a lost card",
    "report a lost card for me",
    "report my lost card",
]
PLACE, CARD, OTHER = np.eye(3, dtype=np.float32)


def embed(phrases: Sequence[str]) -> FloatArray:
    known = {"Countries and capitals": PLACE}
    return np.array([CARD if "card" in phrase else known.get(phrase, OTHER) for phrase in phrases])


@pytest.mark.parametrize(("language", "is_subject"), [("en", True), ("de", False)])
def test_a_topic_whose_texts_share_no_phrase_is_labelled_with_a_general_subject(
    language: str, is_subject: bool
) -> None:
    names = label_topics(
        [*CAPITALS, *LOST],
        np.repeat([0, 1], 4),
        2,
        vectors=np.repeat([PLACE, CARD], 4, axis=0),
        embed=embed,
        languages=[language] * 8,
    )
    assert (names[0].label == "Countries and capitals") == is_subject
    assert "card" in names[1].label.lower()


def test_two_topics_have_no_common_subject() -> None:
    names = label_topics(
        [*CAPITALS, *LOST],
        np.array([0, 0, 1, 1, 2, 2, 2, 2]),
        3,
        vectors=np.repeat([PLACE, CARD], 4, axis=0),
        embed=embed,
        languages=["en"] * 8,
    )
    assert [name.label for name in names].count("Countries and capitals") == 1


def test_subjects_that_fit_well_are_ranked() -> None:
    assert rank_subjects({"Chess": 0.4, "Birds": 0.5, "Fish": 0.1}) == [("Birds", 0.5), ("Chess", 0.4)]


def test_subjects_are_different_short_phrases() -> None:
    assert len({subject.casefold() for subject in SUBJECTS}) == len(SUBJECTS)
    assert all(subject[:1].isupper() and len(subject.split()) <= 5 for subject in SUBJECTS)
