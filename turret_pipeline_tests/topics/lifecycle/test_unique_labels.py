"""Unique labels of topics."""

import itertools

import polars as pl
import pytest

from turret_pipeline.topics.edits import NO_EDITS, Edit, Edits
from turret_pipeline.topics.lifecycle.unique_labels import assign_unique_labels, describe_label_clashes

FOUND = {"prompt-1": "Refund", "prompt-2": "Parcel", "prompt-3": "Invoice"}


def renames(*names: tuple[str, str]) -> Edits:
    """Renames as (topic, label), numbered from 1."""
    return Edits(tuple(Edit(f"edit-{at}", "", "rename", one, label=name) for at, (one, name) in enumerate(names, 1)))


def labels(edits: Edits, **found: str) -> list[str]:
    """Labels of prompt-1, prompt-2 and so on."""
    known = FOUND | {name.replace("_", "-"): label for name, label in found.items()}
    by_topic = assign_unique_labels(pl.DataFrame({"topic_id": list(known), "found_label": list(known.values())}), edits)
    return [by_topic[topic_id] for topic_id in known]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        (NO_EDITS, ["Refund", "Parcel", "Invoice"]),
        (renames(("prompt-2", "Alpha"), ("prompt-1", "ALPHA")), ["ALPHA 2", "Alpha", "Invoice"]),
        (renames(("prompt-1", "Alpha"), ("prompt-2", "Beta"), ("prompt-1", "Beta")), ["Beta 2", "Beta", "Invoice"]),
        (renames(("prompt-2", "Refund")), ["Refund 2", "Refund", "Invoice"]),
        (renames(("prompt-1", "Parcel"), ("prompt-2", "Refund")), ["Parcel", "Refund", "Invoice"]),
        (
            renames(("prompt-1", "A"), ("prompt-2", "A"), ("prompt-3", "A 2")),
            ["A", "A 3", "A 2"],
        ),
        (renames(("prompt-9", "Refund")), ["Refund", "Parcel", "Invoice"]),
    ],
)
def test_a_label_goes_to_the_older_edit_and_then_to_the_older_topic(edits: Edits, expected: list[str]) -> None:
    assert labels(edits) == expected


def test_the_newer_of_two_topics_with_the_same_found_label_gets_a_free_number() -> None:
    assert labels(NO_EDITS, prompt_4="refund", prompt_5="Refund 2") == [
        "Refund", "Parcel", "Invoice", "refund 3", "Refund 2",
    ]  # fmt: skip


@pytest.mark.parametrize("names", list(itertools.product(["Refund", "parcel", "A", "a 2"], repeat=3)))
def test_labels_are_unique_whatever_a_person_writes(names: tuple[str, ...]) -> None:
    for order in itertools.permutations(zip(FOUND, names, strict=True)):
        for edits in (renames(*order), renames(*order[:2]), renames(*order, order[0])):
            assert len({label.lower() for label in labels(edits)}) == len(FOUND)


def topic_table(edits: Edits, status: str = "active") -> pl.DataFrame:
    found = pl.DataFrame({"topic_id": list(FOUND), "found_label": list(FOUND.values())})
    given = pl.Series("label", [assign_unique_labels(found, edits)[one] for one in FOUND])
    return found.with_columns(given, pl.lit("prompt").alias("field"), pl.lit(status).alias("status"))


def test_a_label_that_got_a_number_is_reported_with_the_remedy() -> None:
    edits = renames(("prompt-1", "Alpha"), ("prompt-2", "alpha"), ("prompt-3", "Refund"))
    topics = topic_table(edits)
    assert describe_label_clashes(topics, topics, edits) == [
        'edit-2 (rename prompt-2 to "alpha") was applied with the label "alpha 2": edit-1 gave "alpha" to prompt-1. '
        "Choose another label: turret topics rename prompt-2 LABEL, or undo the other edit: turret topics undo edit-1."
    ]
    assert describe_label_clashes(topics, topics.clear(), edits) == describe_label_clashes(topics, topics, edits)


def test_a_found_label_that_got_a_number_is_reported_if_its_topic_is_disclosed() -> None:
    edits = renames(("prompt-2", "Refund"))
    topics = topic_table(edits)
    assert describe_label_clashes(topics, topics, edits) == [
        'prompt-1 is shown with the label "Refund 2": edit-1 gave "Refund" to prompt-2. Choose another label: '
        "turret topics rename prompt-1 LABEL, or undo the other edit: turret topics undo edit-1."
    ]
    assert describe_label_clashes(topics, topics.tail(2), edits) == []
    assert describe_label_clashes(topic_table(edits, "retired"), topic_table(edits, "retired"), edits) == []


def test_without_a_clash_nothing_is_reported() -> None:
    for edits in (NO_EDITS, renames(("prompt-1", "Parcel"), ("prompt-2", "Refund"))):
        assert describe_label_clashes(topic_table(edits), topic_table(edits), edits) == []
    assert describe_label_clashes(topic_table(NO_EDITS).clear(), topic_table(NO_EDITS), NO_EDITS) == []
