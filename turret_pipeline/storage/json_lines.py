"""Small files of JSON objects, one per line, that a person may read, edit and review."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from turret_pipeline.errors import TurretError
from turret_pipeline.escaping import escape_json
from turret_pipeline.storage.atomic_files import atomic_replace


def read_objects(path: Path, content: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file in order, each after its place ("Line 3 of FILE"); nothing if the file does not exist.

    ``content`` says what the file holds, for the message of the TurretError that an unreadable file or line raises.
    """
    if not path.exists():
        return
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TurretError(
            f"Cannot read the {content} in {path}: {reason}. Correct the file, or restore it from a backup."
        ) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"Line {number} of {path}"
            yield place, _parse_object(place, line)


def write_objects(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Replace a file by these objects, atomically."""
    with atomic_replace(path) as temp:
        lines = [escape_json(json.dumps(row, ensure_ascii=False)) for row in rows]
        temp.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _parse_object(place: str, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise TurretError(f"{place} must be a JSON object: fix the line or remove it.")
    return row
