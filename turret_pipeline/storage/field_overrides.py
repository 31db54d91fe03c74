"""The file of the types that a person set: one JSON object a line, by field, to be read and reviewed."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace, lock_file
from turret_pipeline.tables import FIELD_TYPES


@dataclass(frozen=True)
class Override:
    """A field's type by a person; ``is_forced`` where the values contradicted it."""

    field: str
    type: str
    set_at: str = ""
    is_forced: bool = False


@dataclass(frozen=True)
class OverridesFile:
    """Overrides under the data folder; each change replaces the file whole, and one waits for the other."""

    path: Path

    def read(self) -> dict[str, Override]:
        """The overrides by field. TurretError names the line that is none."""
        if not self.path.exists():
            return {}
        try:
            lines = self.path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise TurretError(f"The types of fields in {self.path} cannot be read: {error}.") from None
        found: dict[str, Override] = {}
        for number, line in enumerate(lines, 1):
            if line.strip():
                place = f"Line {number} of {self.path}"
                override = _parsed(place, line)
                if override.field in found:
                    raise TurretError(f"{place} sets {override.field!r}, which an earlier line sets: remove one.")
                found[override.field] = override
        return found

    def set(self, override: Override) -> None:
        """Keep an override, in place of another one of the field."""
        with lock_file(self.path):
            self._write({**self.read(), override.field: override})

    def unset(self, field: str) -> Override:
        """Remove the override of a field. TurretError where there is none."""
        with lock_file(self.path):
            overrides = self.read()
            if field not in overrides:
                known = ", ".join(sorted(overrides)) or "none"
                raise TurretError(f"No type is set for {field!r} in {self.path}; there are types for: {known}.")
            removed = overrides.pop(field)
            self._write(overrides)
            return removed

    def _write(self, overrides: dict[str, Override]) -> None:
        rows = [asdict(overrides[field]) for field in sorted(overrides)]
        with atomic_replace(self.path) as aside:
            aside.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _parsed(place: str, line: str) -> Override:
    """The override of a line. TurretError says what is wrong with the line at this place."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise TurretError(f"{place} is no JSON object: mend it or remove the line.") from None
    names = [field.name for field in fields(Override)]
    if not isinstance(row, dict) or not {"field", "type"} <= row.keys() <= set(names):
        raise TurretError(f"{place} is no type of a field: it needs field and type, and knows {', '.join(names)}.")
    if not isinstance(row["field"], str) or row["type"] not in FIELD_TYPES:
        raise TurretError(
            f"{place} sets {row['field']!r} to {row['type']!r}: a type is one of {', '.join(FIELD_TYPES)}."
        )
    return Override(**row)
