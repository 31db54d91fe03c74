"""A person's edits of topics: `topic_edits.jsonl` in the data folder, one JSON object per edit, oldest first."""

import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import lock_file
from turret_pipeline.storage.json_lines import read_objects, write_objects
from turret_pipeline.topics.edits import ACTIONS, ROLES, Action, Edit, Edits
from turret_pipeline.topics.topic_id import TopicId

NEEDS = {"rename": "label", "merge": "into_topic_id", "split": "parts", "role": "role"}
UNDONE = "undone"
"""Marks the line of an edit that was undone. The line stays, so that no later edit gets its id."""

FORGOTTEN_LABEL = "(forgotten)"
"""The label of an edit whose own label quoted an erased text."""

_FORMS = {"edit_id": re.compile(r"edit-(\d+)"), "topic_id": re.compile(r"(.+)-\d+", re.DOTALL)}


@dataclass(frozen=True)
class TopicEditsFile:
    """The file of the edits. A change replaces it atomically; concurrent changes wait for each other."""

    path: Path

    def read(self) -> Edits:
        """The edits in force. Raises TurretError that names an invalid line."""
        return Edits(tuple(edit for edit, is_undone in self._lines() if not is_undone))

    def add(self, action: Action, topic_id: str, edited_at: str, **details: str | int | None) -> Edit:
        """Append an edit and return it. Raises TurretError for a merge in a circle."""
        with lock_file(self.path):
            lines = self._lines()
            number = max((int(edit.edit_id.removeprefix("edit-")) for edit, _ in lines), default=0) + 1
            edit = Edit(f"edit-{number}", edited_at, action, topic_id, **details)  # type: ignore[arg-type]
            Edits((*self.read().all, edit)).merge_targets()  # raises for merges in a circle before they are written
            self._write([*lines, (edit, False)])
            return edit

    def undo(self, edit_id: str | None = None) -> Edit:
        """Undo and return an edit, by default the last one. Raises TurretError if it is not in force."""
        with lock_file(self.path):
            return self._undo(edit_id)

    def _undo(self, edit_id: str | None) -> Edit:
        edits = self.read().all
        if not edits:
            raise TurretError(f"Nothing to undo: no edit is in force in {self.path}.")
        found = next((edit for edit in reversed(edits) if edit_id in {None, edit.edit_id}), None)
        if found is None:
            known = ", ".join(edit.edit_id for edit in edits)
            raise TurretError(f"Cannot undo {edit_id!r}: the edits in force in {self.path} are {known}.")
        Edits(tuple(edit for edit in edits if edit != found)).merge_targets()  # an earlier merge may hold again
        self._write([(edit, is_undone or edit == found) for edit, is_undone in self._lines()])
        return found

    def _lines(self) -> list[tuple[Edit, bool]]:
        """All edits, each with whether it was undone."""
        found: dict[str, tuple[Edit, bool]] = {}
        for place, row in read_objects(self.path, "topic edits"):
            edit, is_undone = _parse_edit(place, row)
            if edit.edit_id in found:
                raise TurretError(f"{place} repeats the id {edit.edit_id} of an earlier line: give it another id.")
            found[edit.edit_id] = edit, is_undone
        return list(found.values())

    def _write(self, lines: list[tuple[Edit, bool]]) -> None:
        rows = ({**asdict(edit), UNDONE: is_undone or None} for edit, is_undone in lines)
        write_objects(self.path, ({name: value for name, value in row.items() if value is not None} for row in rows))


def _parse_edit(place: str, row: dict[str, Any]) -> tuple[Edit, bool]:
    """The edit of a line, and whether it was undone. Raises TurretError that names the place and what is wrong."""
    names = {field.name for field in fields(Edit)} | {UNDONE}
    if not {"edit_id", "action", "topic_id"} <= row.keys() <= names:
        known = ", ".join(sorted(names))
        raise TurretError(f"{place} must have the keys edit_id, action and topic_id; known keys are {known}.")
    if row["action"] not in ACTIONS:
        raise TurretError(f"{place} has the unknown action {row['action']!r}: use {', '.join(ACTIONS)}.")
    _check_ids(place, row)
    _check_details(place, row)
    is_undone = bool(row.pop(UNDONE, False))
    return Edit(**{"edited_at": "", **row}), is_undone


def _check_details(place: str, row: dict[str, Any]) -> None:
    """Raise TurretError if what the action needs is missing or invalid."""
    action, needed = row["action"], NEEDS.get(row["action"])
    if needed and not row.get(needed):
        raise TurretError(f"{place}: the action {action} needs the key {needed}.")
    if action == "rename" and not (isinstance(row["label"], str) and row["label"].strip()):
        raise TurretError(f"{place} has the label {row['label']!r}: it must be text that is not blank.")
    if action == "split" and not (isinstance(row["parts"], int) and row["parts"] >= 2):
        raise TurretError(f"{place} splits into {row['parts']!r} parts: use a number of at least 2.")
    if action == "role" and row["role"] not in ROLES:
        raise TurretError(f"{place} has the unknown role {row['role']!r}: use {' or '.join(ROLES)}.")


def _check_ids(place: str, row: dict[str, Any]) -> None:
    """Raise TurretError for a malformed id, or a merge into the topic itself or into one of another field."""
    ids = {"edit_id": row["edit_id"], "topic_id": row["topic_id"], "into_topic_id": row.get("into_topic_id")}
    for name, value in ids.items():
        form = _FORMS["edit_id" if name == "edit_id" else "topic_id"]
        if (value or name != "into_topic_id") and not (isinstance(value, str) and form.fullmatch(value)):
            example = "edit-1" if name == "edit_id" else "prompt-3"
            raise TurretError(f"{place} has the invalid {name} {value!r}: write it like {example}.")
    for name in ("born_run_id", "into_born_run_id"):
        if not isinstance(row.get(name, ""), str):
            raise TurretError(f"{place} has the invalid {name} {row[name]!r}: use the id of a run, or leave it out.")
    topic, into = str(ids["topic_id"]), str(ids["into_topic_id"] or "")
    if into and (topic == into or TopicId.field_of(topic) != TopicId.field_of(into)):
        raise TurretError(f"{place} merges {topic} into {into}: choose another topic of the same field.")
