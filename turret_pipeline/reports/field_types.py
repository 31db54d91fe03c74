"""Types that a person sets for metadata fields: the checks that they must pass, and what the next run will change."""

import datetime as dt

import polars as pl

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.fields.overrides import find_contradiction
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.storage.field_overrides import FieldOverride
from turret_pipeline.tables import FIELD_TYPES


class ContradictedTypeError(TurretError):
    """The values of a field contradict a type, or no event has the field: a person may force it."""


def list_fields(published: PublishedTables) -> pl.DataFrame:
    """Table ``fields``, those with an uncertain type first, then by name."""
    return published.query("select * from marts.fields order by is_uncertain desc, field")


def set_field_type(
    published: PublishedTables, settings: Settings, name: str, kind: str, *, is_forced: bool, now: dt.datetime
) -> str:
    """Store the type of a field from the next run on, and return the objection that was overruled; else empty text.

    Raises ContradictedTypeError if the values contradict the type and it is not forced, and TurretError if the type is
    unknown or the setting field_types has one.
    """
    if kind not in FIELD_TYPES:
        raise TurretError(f"Unknown type {kind!r}. Available: {', '.join(FIELD_TYPES)}.")
    if in_settings := settings.field_types.get(name):
        raise TurretError(
            f"The setting field_types (TURRET_FIELD_TYPES) sets {name} to {in_settings} and takes precedence: change "
            "it there."
        )
    objection = _find_objection(published, name, kind)
    if objection and not is_forced:
        raise ContradictedTypeError(objection)
    set_at = now.isoformat(timespec="seconds")
    published.data.field_overrides.set(FieldOverride(name, kind, set_at, is_forced=objection is not None))
    return objection or ""


def describe_pending_types(published: PublishedTables, settings: Settings) -> list[str]:
    """Overrides that the next run will apply, and overrides that it will undo."""
    overridden = published.data.field_overrides.read_types(settings.field_types)
    rows = {row["field"]: row for row in list_fields(published).iter_rows(named=True)}
    to_apply = {name: kind for name, kind in overridden.items() if not (name in rows and _is_applied(rows[name], kind))}
    to_detect = [name for name, row in rows.items() if row["is_overridden"] and name not in overridden]
    return [
        *(f"{name} becomes {kind}" for name, kind in sorted(to_apply.items())),
        *(f"{name} is detected again" for name in to_detect),
    ]


def _find_objection(published: PublishedTables, name: str, kind: str) -> str | None:
    """Reason why the field cannot have this type, as a sentence; None if it can."""
    known = published.query("select field from marts.fields order by field")["field"].to_list()
    values = published.data.lake.scan("event_values").filter(pl.col("field") == name).collect()
    if values.is_empty():
        return f"No event has a field {name!r}. Available: {list_names(known)}."
    (facts,) = profile_fields(values)
    found = find_contradiction(facts, kind)
    return found and f"The field {name} cannot be {kind}: {found}."


def _is_applied(row: dict[str, object], kind: str) -> bool:
    return bool(row["is_overridden"]) and row["type"] == kind
