"""Field types that a person set: `field_types.jsonl` in the data folder, one JSON object per field."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import lock_file
from turret_pipeline.storage.json_lines import read_objects, write_objects
from turret_pipeline.tables import FIELD_TYPES


@dataclass(frozen=True)
class FieldOverride:
    """The type that a person set for a field; ``is_forced`` if the values contradicted it."""

    field: str
    type: str
    set_at: str = ""
    is_forced: bool = False


@dataclass(frozen=True)
class FieldOverridesFile:
    """The file of the overrides. A change replaces it atomically; concurrent changes wait for each other."""

    path: Path

    def read(self) -> dict[str, FieldOverride]:
        """The overrides by field. Raises TurretError that names an invalid line."""
        found: dict[str, FieldOverride] = {}
        for place, row in read_objects(self.path, "field types"):
            override = _parse_override(place, row)
            if override.field in found:
                raise TurretError(f"{place} sets {override.field!r} again: keep one line per field.")
            found[override.field] = override
        return found

    def read_types(self, from_settings: Mapping[str, str]) -> dict[str, str]:
        """The types that a person set, by field; those of the setting field_types win over this file."""
        return {**{field: override.type for field, override in self.read().items()}, **from_settings}

    def set(self, override: FieldOverride) -> None:
        """Add an override, or replace the one of the same field."""
        with lock_file(self.path):
            self._write({**self.read(), override.field: override})

    def unset(self, field: str) -> FieldOverride:
        """Remove and return the override of a field. Raises TurretError if the field has none."""
        with lock_file(self.path):
            overrides = self.read()
            if field not in overrides:
                known = ", ".join(sorted(overrides)) or "none"
                raise TurretError(f"Field {field!r} has no type set in {self.path}. Fields with a type set: {known}.")
            removed = overrides.pop(field)
            self._write(overrides)
            return removed

    def _write(self, overrides: dict[str, FieldOverride]) -> None:
        write_objects(self.path, (asdict(overrides[field]) for field in sorted(overrides)))


def _parse_override(place: str, row: dict[str, Any]) -> FieldOverride:
    names = [field.name for field in fields(FieldOverride)]
    if not {"field", "type"} <= row.keys() <= set(names):
        raise TurretError(f"{place} must have the keys field and type, and may have {', '.join(names[2:])}.")
    if not isinstance(row["field"], str) or row["type"] not in FIELD_TYPES:
        raise TurretError(
            f"{place} sets {row['field']!r} to the unknown type {row['type']!r}: use {', '.join(FIELD_TYPES)}."
        )
    return FieldOverride(**row)
