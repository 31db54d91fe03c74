"""The file of a person's edits of topics: one JSON object a line, oldest first, to be read and reviewed."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import cast

from turret_pipeline.errors import TurretError
from turret_pipeline.lake import replacing
from turret_pipeline.topics.edits import ACTIONS, Action, Edit, Edits

NEEDS = {"rename": "label", "merge": "into_topic_id", "split": "parts"}


@dataclass(frozen=True)
class EditsFile:
    """Edits under the data folder; each change replaces the file whole."""

    path: Path

    def read(self) -> Edits:
        """All edits. TurretError names the line that is none."""
        if not self.path.exists():
            return Edits()
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TurretError(f"The edits of topics in {self.path} cannot be read: {error}.") from None
        return Edits(tuple(self._edit(number, line) for number, line in enumerate(lines, 1) if line.strip()))

    def add(self, action: Action, topic_id: str, edited_at: str, **details: str | int) -> Edit:
        """Put an edit at the end of the file."""
        edits = self.read()
        number = max((int(edit.edit_id.removeprefix("edit-")) for edit in edits.all), default=0) + 1
        edit = Edit(f"edit-{number}", edited_at, action, topic_id, **details)  # type: ignore[arg-type]
        added = Edits((*edits.all, edit))
        added.shown_as()  # merges that go round in a circle are refused before they are written
        self._write(added)
        return edit

    def undo(self, edit_id: str | None = None) -> Edit:
        """Take an edit out of the file, the last one if none is named. TurretError where there is none."""
        edits = self.read().all
        found = [edit for edit in edits if edit_id in {None, edit.edit_id}]
        if not found:
            known = ", ".join(edit.edit_id for edit in edits) or "none"
            raise TurretError(f"There is no edit {edit_id or ''} to undo in {self.path}; known are: {known}.")
        self._write(Edits(tuple(edit for edit in edits if edit != found[-1])))
        return found[-1]

    def _write(self, edits: Edits) -> None:
        rows = ({name: value for name, value in asdict(edit).items() if value is not None} for edit in edits.all)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as aside:
            aside.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")

    def _edit(self, number: int, line: str) -> Edit:
        place = f"Line {number} of {self.path}"
        try:
            row = json.loads(line)
        except ValueError:
            raise TurretError(f"{place} is no JSON object: mend it or remove the line.") from None
        names = {field.name for field in fields(Edit)}
        if not isinstance(row, dict) or not row.keys() <= names or not {"edit_id", "action", "topic_id"} <= row.keys():
            raise TurretError(
                f"{place} is no edit: it needs edit_id, action and topic_id, and knows {', '.join(sorted(names))}."
            )
        if row["action"] not in ACTIONS:
            raise TurretError(f"{place} has the action {row['action']!r}; known are {', '.join(ACTIONS)}.")
        needed = NEEDS.get(row["action"])
        if needed and not row.get(needed):
            raise TurretError(f"{place}: a {row['action']} needs {needed}.")
        if row["action"] == "split" and not (isinstance(row["parts"], int) and row["parts"] >= 2):
            raise TurretError(f"{place} splits into {row['parts']!r} parts: at least 2 are needed.")
        return Edit(**{**{"edited_at": ""}, **row, "action": cast("Action", row["action"])})
