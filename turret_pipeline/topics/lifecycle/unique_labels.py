"""Unique labels of topics: if a person or the machine gives a label twice, later topics get a number."""

from collections.abc import Collection

import polars as pl

from turret_pipeline.topics.edits import Edit, Edits


def assign_unique_labels(topics: pl.DataFrame, edits: Edits) -> dict[str, str]:
    """Labels of the topics of a field, by topic id. They are unique, upper and lower case aside.

    ``topics`` has topic_id and found_label, oldest topic first. A label from a person has priority over a found one, an
    older edit over a newer one, an older topic over a newer one. The topic with lower priority gets a number appended.
    """
    found = dict(topics.select("topic_id", "found_label").iter_rows())
    wanted = {topic_id: label for topic_id, label in edits.labels().items() if topic_id in found}
    wanted |= {topic_id: label for topic_id, label in found.items() if topic_id not in wanted}
    claimed = {label.casefold() for label in (*found.values(), *wanted.values())}
    taken: set[str] = set()
    labels = {}
    for topic_id, label in wanted.items():
        unique = label if label.casefold() not in taken else _append_number(label, claimed | taken)
        taken.add(unique.casefold())
        labels[topic_id] = unique
    return labels


def _append_number(label: str, taken: Collection[str]) -> str:
    number = 2
    while (numbered := f"{label} {number}").casefold() in taken:
        number += 1
    return numbered


def describe_label_clashes(topics: pl.DataFrame, disclosed: pl.DataFrame, edits: Edits) -> list[str]:
    """Sentences about labels that got a number, with the remedy.

    ``topics`` and ``disclosed`` are topic tables: of all topics, and of those that may be shown. Of a suppressed topic
    only a label from a person is mentioned.
    """
    names = edits.renames()
    mentionable = {*names, *disclosed.filter(pl.col("status") == "active")["topic_id"]}
    sentences: list[str] = []
    for _, of_field in topics.group_by("field", maintain_order=True):
        rows = of_field.select("topic_id", "label", "found_label").rows()
        holders = {label.casefold(): topic_id for topic_id, label, _ in rows}
        for topic_id, label, found in rows:
            edit = names.get(topic_id)
            wanted = (edit.label if edit else None) or found
            first = names.get(holders.get(wanted.casefold(), ""))  # None if no person gave it
            if label != wanted and topic_id in mentionable and first:
                sentences.append(_describe_clash(topic_id, label, wanted, edit, first))
    return sentences


def _describe_clash(topic_id: str, label: str, wanted: str, edit: Edit | None, first: Edit) -> str:
    what = f"{edit.edit_id} ({edit.describe()}) was applied" if edit else f"{topic_id} is shown"
    return (
        f'{what} with the label "{label}": {first.edit_id} gave "{wanted}" to {first.topic_id}. Choose another label: '
        f"turret topics rename {topic_id} LABEL, or undo the other edit: turret topics undo {first.edit_id}."
    )
