"""Any table of rows, by a mapping that a person writes: which column is what.

A column is named by its path (``customer.id``), a constant by ``=Clicked``; of several paths the first that says
something counts.
"""

import dataclasses
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from turret_pipeline.events.formats import AUTO, FORMATS, MAPPED
from turret_pipeline.events.formats.columns import Paths
from turret_pipeline.events.formats.table import Columns, Format, Part, Shape


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Path: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]
_Given: TypeAlias = Annotated[tuple[_Path, ...], BeforeValidator(_listed)]


class ColumnMapping(BaseModel):
    """What a person says of rows: where each canonical column comes from, and which columns are metadata."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_name: Annotated[_Given, Field(min_length=1)]
    event_at: _Given = ()
    received_at: _Given = ()
    event_id: _Given = ()
    session_id: _Given = ()
    user_id: _Given = ()
    metadata: _Given | None = None
    """Columns that become metadata, objects key by key; by default every column that is nothing else."""

    def format(self) -> Format:
        """The table of the format that the mapping describes."""
        columns = {name: getattr(self, name) for name in type(self).model_fields if name != "metadata"}
        metadata = self.metadata or ()
        needs = () if any(path.startswith("=") for path in self.event_name) else (self.event_name,)
        return Format(
            name=MAPPED,
            title="row of the mapping",
            shape=Shape("any row, once `turret.toml` has `[mapping]`", needs=needs),
            columns=Columns(**columns),
            parts=tuple(Part(path, may_be_any=True) for path in metadata),
            keeps_rest=self.metadata is None,
            json=_heads((*(path for paths in columns.values() for path in paths if "." in path), *metadata)),
            example=EXAMPLE,
        )


def chosen_format(input_format: str, mapping: ColumnMapping | None) -> Format | None:
    """The format of all rows where a person chose one by name, or of those that a mapping fits; None where shapes tell.

    Raises ValueError where the mapping is asked for and not there.
    """
    if input_format in FORMATS:
        return FORMATS[input_format]
    if mapping is None and input_format == MAPPED:
        raise ValueError(
            "Setting input_format is mapping, but there is none: write [mapping] with event_name into turret.toml."
        )
    if mapping is None:
        return None
    return dataclasses.replace(mapping.format(), leaves_others=input_format == AUTO)


def _heads(paths: Paths) -> Paths:
    return tuple(dict.fromkeys(path.partition(".")[0] for path in paths))


EXAMPLE = {
    "action": "Clicked",
    "ts": "2026-03-02T09:15:00Z",
    "visit": "s-1",
    "customer": {"id": "u-1"},
    "attributes": {"plan": "team"},
}
EXAMPLE_MAPPING = ColumnMapping.model_validate(
    {
        "event_name": "action",
        "event_at": "ts",
        "session_id": "visit",
        "user_id": "customer.id",
        "metadata": ["attributes"],
    }
)
