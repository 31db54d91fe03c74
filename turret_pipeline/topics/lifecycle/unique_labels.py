"""What topics are called where a person's names and found labels meet: a label is one topic's, others get a number."""

from collections.abc import Collection

import polars as pl

from turret_pipeline.topics.edits import Edit, Edits


def called(topics: pl.DataFrame, edits: Edits) -> dict[str, str]:
    """The label of each topic of a field by topic_id, no two the same in any case.

    ``topics`` has topic_id and found_label, the oldest topic first. A person's name goes before a found label, an older
    edit before a younger one, an older topic before a younger one; who comes later gets the label with a number.
    """
    found = dict(topics.select("topic_id", "found_label").iter_rows())
    wanted = {topic_id: label for topic_id, label in edits.labels().items() if topic_id in found}
    wanted |= {topic_id: label for topic_id, label in found.items() if topic_id not in wanted}
    claimed = {label.casefold() for label in (*found.values(), *wanted.values())}
    taken: set[str] = set()
    labels = {}
    for topic_id, label in wanted.items():
        free = label if label.casefold() not in taken else _numbered(label, claimed | taken)
        taken.add(free.casefold())
        labels[topic_id] = free
    return labels


def _numbered(label: str, taken: Collection[str]) -> str:
    number = 2
    while (free := f"{label} {number}").casefold() in taken:
        number += 1
    return free


def clashes(definitions: pl.DataFrame, shown: pl.DataFrame, edits: Edits) -> list[str]:
    """A sentence on each name that ``called`` gave a number, with what to do about it.

    ``definitions`` and ``shown`` are tables of topic_definitions: of all topics, and of those that may be shown. Of a
    topic that is not shown only what a person named it is told.
    """
    names = edits.renames()
    told = {*names, *shown.filter(pl.col("status") == "active")["topic_id"]}
    sentences: list[str] = []
    for _, topics in definitions.group_by("field", maintain_order=True):
        rows = topics.select("topic_id", "label", "found_label").rows()
        holders = {label.casefold(): topic_id for topic_id, label, _ in rows}
        for topic_id, label, found in rows:
            edit = names.get(topic_id)
            wanted = (edit.label if edit else None) or found
            first = names.get(holders.get(wanted.casefold(), ""))  # none: two found labels, which no person gave
            if label != wanted and topic_id in told and first:
                sentences.append(_clash(topic_id, label, wanted, edit, first))
    return sentences


def _clash(topic_id: str, label: str, wanted: str, edit: Edit | None, first: Edit) -> str:
    what = f"{edit.edit_id} ({edit.sentence()}) is followed" if edit else f"{topic_id} is shown"
    return (
        f'{what} with the label "{label}": {first.edit_id} gave "{wanted}" to {first.topic_id}. Choose another name: '
        f"turret topics rename {topic_id} NAME, or take that one back: turret topics undo {first.edit_id}."
    )
