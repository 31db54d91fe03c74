"""Format of any other rows, described by the mapping in turret.toml.

A mapping names columns by their paths (``customer.id``) and constants as ``=Clicked``. Of several paths, the first one
with a value counts.
"""

import dataclasses
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from turret_pipeline.events.formats import AUTO, FORMATS, MAPPED
from turret_pipeline.events.formats.format import Columns, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Paths


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Path: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]
_PathList: TypeAlias = Annotated[tuple[_Path, ...], BeforeValidator(_as_list)]


class ColumnMapping(BaseModel):
    """Paths to each canonical column, and the columns that become metadata."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_name: Annotated[_PathList, Field(min_length=1)]
    event_at: _PathList = ()
    received_at: _PathList = ()
    event_id: _PathList = ()
    session_id: _PathList = ()
    user_id: _PathList = ()
    metadata: _PathList | None = None
    """Columns that become metadata; the keys of an object become fields. By default, all columns not used otherwise."""

    def to_format(self) -> Format:
        """Format that the mapping describes."""
        columns = {name: getattr(self, name) for name in type(self).model_fields if name != "metadata"}
        metadata = self.metadata or ()
        needs = () if any(path.startswith("=") for path in self.event_name) else (self.event_name,)
        return Format(
            name=MAPPED,
            title="mapped row",
            shape=Shape("any row, once `turret.toml` has `[mapping]`", required=needs),
            columns=Columns(**columns),
            parts=tuple(Part(path, allows_any_type=True) for path in metadata),
            keeps_rest=self.metadata is None,
            json_columns=_top_level_keys(
                (*(path for paths in columns.values() for path in paths if "." in path), *metadata)
            ),
            example=EXAMPLE,
        )


def select_format(input_format: str, mapping: ColumnMapping | None) -> Format | None:
    """Format that the settings select, or None to detect the format of each row.

    With input_format "auto", a mapping applies only to the rows that match it. Raises ValueError if input_format is
    "mapping" and there is no mapping.
    """
    if input_format in FORMATS:
        return FORMATS[input_format]
    if mapping is None and input_format == MAPPED:
        raise ValueError("Setting input_format is mapping, but turret.toml has no [mapping]: add one with event_name.")
    if mapping is None:
        return None
    return dataclasses.replace(mapping.to_format(), allows_other_formats=input_format == AUTO)


def _top_level_keys(paths: Paths) -> Paths:
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
