"""The file of a person's edits of topics: one JSON object a line, oldest first, to be read and reviewed."""

import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace, lock_file
from turret_pipeline.topics.edits import ACTIONS, ROLES, Action, Edit, Edits

NEEDS = {"rename": "label", "merge": "into_topic_id", "split": "parts", "role": "role"}
UNDONE = "undone"
"""Marks the line of an edit that was taken back: it stays, so that no later edit gets its id."""

_FORMS = {"edit_id": re.compile(r"edit-(\d+)"), "topic_id": re.compile(r"(.+)-\d+", re.DOTALL)}


@dataclass(frozen=True)
class EditsFile:
    """Edits under the data folder; each change replaces the file whole, and one waits for the other."""

    path: Path

    def read(self) -> Edits:
        """The edits in force. TurretError names the line that is none."""
        return Edits(tuple(edit for edit, is_undone in self._lines() if not is_undone))

    def add(self, action: Action, topic_id: str, edited_at: str, **details: str | int | None) -> Edit:
        """Put an edit at the end of the file."""
        with lock_file(self.path):
            lines = self._lines()
            number = max((int(edit.edit_id.removeprefix("edit-")) for edit, _ in lines), default=0) + 1
            edit = Edit(f"edit-{number}", edited_at, action, topic_id, **details)  # type: ignore[arg-type]
            Edits((*self.read().all, edit)).shown_as()  # merges in a circle are refused before they are written
            self._write([*lines, (edit, False)])
            return edit

    def undo(self, edit_id: str | None = None) -> Edit:
        """Take an edit back, the last one if none is named. TurretError where there is none."""
        with lock_file(self.path):
            return self._undo(edit_id)

    def _undo(self, edit_id: str | None) -> Edit:
        edits = self.read().all
        if not edits:
            raise TurretError(f"There is no edit to undo in {self.path}.")
        found = next((edit for edit in reversed(edits) if edit_id in {None, edit.edit_id}), None)
        if found is None:
            known = ", ".join(edit.edit_id for edit in edits)
            raise TurretError(f"There is no edit {edit_id!r} to undo in {self.path}; in force are {known}.")
        Edits(tuple(edit for edit in edits if edit != found)).shown_as()  # an earlier merge may come into force again
        self._write([(edit, is_undone or edit == found) for edit, is_undone in self._lines()])
        return found

    def _lines(self) -> list[tuple[Edit, bool]]:
        """All edits, and whether each was undone."""
        if not self.path.exists():
            return []
        try:
            lines = self.path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise TurretError(f"The edits of topics in {self.path} cannot be read: {error}.") from None
        found: dict[str, tuple[Edit, bool]] = {}
        for number, line in enumerate(lines, 1):
            if line.strip():
                place = f"Line {number} of {self.path}"
                edit, is_undone = _parsed(place, line)
                if edit.edit_id in found:
                    raise TurretError(f"{place} has the id {edit.edit_id}, which an earlier line has: give it another.")
                found[edit.edit_id] = edit, is_undone
        return list(found.values())

    def _write(self, lines: list[tuple[Edit, bool]]) -> None:
        rows = (
            {name: value for name, value in {**asdict(edit), UNDONE: is_undone or None}.items() if value is not None}
            for edit, is_undone in lines
        )
        with atomic_replace(self.path) as aside:
            aside.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _parsed(place: str, line: str) -> tuple[Edit, bool]:
    """The edit of a line and whether it was undone. TurretError says what is wrong with the line at this place."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise TurretError(f"{place} is no JSON object: mend it or remove the line.") from None
    names = {field.name for field in fields(Edit)} | {UNDONE}
    if not isinstance(row, dict) or not row.keys() <= names or not {"edit_id", "action", "topic_id"} <= row.keys():
        known = ", ".join(sorted(names))
        raise TurretError(f"{place} is no edit: it needs edit_id, action and topic_id, and knows {known}.")
    if row["action"] not in ACTIONS:
        raise TurretError(f"{place} has the action {row['action']!r}; known are {', '.join(ACTIONS)}.")
    _check_ids(place, row)
    needed = NEEDS.get(row["action"])
    if needed and not row.get(needed):
        raise TurretError(f"{place}: a {row['action']} needs {needed}.")
    if row["action"] == "rename" and not (isinstance(row["label"], str) and row["label"].strip()):
        raise TurretError(f"{place} has the label {row['label']!r}: it must be text that is not empty.")
    if row["action"] == "split" and not (isinstance(row["parts"], int) and row["parts"] >= 2):
        raise TurretError(f"{place} splits into {row['parts']!r} parts: at least 2 are needed.")
    if row["action"] == "role" and row["role"] not in ROLES:
        raise TurretError(f"{place} has the role {row['role']!r}; a topic is one of: {', '.join(ROLES)}.")
    is_undone = bool(row.pop(UNDONE, False))
    return Edit(**{"edited_at": "", **row}), is_undone


def _check_ids(place: str, row: dict[str, object]) -> None:
    """Refuse ids of another form or kind, and a merge into the topic itself or one of another field."""
    ids = {"edit_id": row["edit_id"], "topic_id": row["topic_id"], "into_topic_id": row.get("into_topic_id")}
    for name, value in ids.items():
        form = _FORMS["edit_id" if name == "edit_id" else "topic_id"]
        if (value or name != "into_topic_id") and not (isinstance(value, str) and form.fullmatch(value)):
            example = "edit-1" if name == "edit_id" else "prompt-3"
            raise TurretError(f"{place} has the {name} {value!r}, which is none: one is such as {example}.")
    for name in ("born_run_id", "into_born_run_id"):
        if not isinstance(row.get(name, ""), str):
            raise TurretError(f"{place} has the {name} {row[name]!r}: it must be the id of a run, or be left out.")
    topic, into = str(ids["topic_id"]), str(ids["into_topic_id"] or "")
    if into and (topic == into or topic.rpartition("-")[0] != into.rpartition("-")[0]):
        raise TurretError(f"{place} merges {topic} into {into}: it must be another topic of the same field.")
