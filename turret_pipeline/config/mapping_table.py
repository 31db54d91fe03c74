"""The table [mapping] of turret.toml: its text, and a change of the file that keeps everything else in it."""

import re
import tomllib
from typing import Any

from turret_pipeline.config.loading import TOML_FILE
from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats.mapping import ColumnMapping

TABLE = "mapping"
_HEADER = re.compile(r"^[ \t]*\[[ \t]*mapping[ \t]*\][^\n]*\n", re.MULTILINE)


def write_mapping_toml(mapping: ColumnMapping) -> str:
    """The mapping as a table of turret.toml."""
    import tomlkit

    return tomlkit.dumps({TABLE: _list_entries(mapping)})


def replace_mapping(text: str, mapping: ColumnMapping) -> str:
    """The text of turret.toml with this mapping in place of any other. Raises TurretError if it cannot be changed."""
    changed = _replace_table(text, mapping)
    if tomllib.loads(changed) != {**tomllib.loads(text), TABLE: _list_entries(mapping)}:
        raise TurretError(f"{TOML_FILE} cannot be changed safely: put this into it.\n{write_mapping_toml(mapping)}")
    return changed


def _replace_table(text: str, mapping: ColumnMapping) -> str:
    import tomlkit
    from tomlkit.items import Table

    document, new = tomlkit.parse(text), write_mapping_toml(mapping)
    present = document.get(TABLE)
    if isinstance(present, Table):
        before = present.as_string()
        after = new.partition("\n")[2] + "".join(item.as_string() for item in _list_last_comments(present.value.body))
        for header in _HEADER.finditer(text):
            if text.startswith(before, header.end()):
                return text[: header.end()] + after + text[header.end() + len(before) :]
    if present is not None:
        document.remove(TABLE)
    others = tomlkit.dumps(document).rstrip()
    return f"{others}\n\n{new}" if others else new


def _list_last_comments(body: list[tuple[Any, Any]]) -> list[Any]:
    """Comments and blank lines after the last key of a table: they belong to the next table."""
    last = max((place for place, (key, _) in enumerate(body) if key is not None), default=-1)
    return [item for _, item in body[last + 1 :]]


def _list_entries(mapping: ColumnMapping) -> dict[str, Any]:
    """Values by key, a single path without a list. Metadata stays one: an empty list keeps nothing."""
    given = mapping.model_dump(exclude_defaults=True)
    return {key: paths[0] if len(paths) == 1 and key != "metadata" else list(paths) for key, paths in given.items()}
