"""Table ``field_type_changes``: all changes of field types, and their causes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from turret_pipeline.fields.close_calls import decide_type
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline.tables import FIELD_TYPE_CHANGES, FIELDS

CHECKPOINTS = {1: "first_event", 100: "hundred_events"}
"""Numbers of events with a field after which its type is detected, besides the end of each run."""

Row = Mapping[str, Any]


class TypeStep(NamedTuple):
    """The type of a field at one point of a run."""

    type: str
    cause: str
    reason: str
    event_count: int


@dataclass(frozen=True)
class PublishedFields:
    """Tables ``fields`` and ``field_type_changes`` of the last published run."""

    fields: pl.DataFrame
    changes: pl.DataFrame

    @classmethod
    def empty(cls) -> "PublishedFields":
        """The tables before the first published run."""
        return cls(FIELDS.empty(), FIELD_TYPE_CHANGES.empty())

    @property
    def detected_types(self) -> dict[str, str]:
        """Types detected in that run, by field."""
        return dict(self.fields.select("field", "detected_type").iter_rows())


def build_type_changes(
    published: PublishedFields,
    fields: pl.DataFrame,
    values: pl.DataFrame | pl.LazyFrame,
    events: pl.DataFrame,
    run_id: str,
    changed_at: dt.datetime,
) -> pl.DataFrame:
    """Table ``field_type_changes`` including the changes of this run.

    ``fields`` is the table of this run, made from ``values`` (``event_values``) and ``events``, which are in order. The
    type of a field is detected on its first event, on its first hundred, and at the end of each run.
    """
    last = {row["field"]: row for row in published.changes.sort("change_number").iter_rows(named=True)}
    known = {row["field"]: row for row in published.fields.iter_rows(named=True) if row["field"] in last}
    early = _checkpoint_steps(fields, known, values, events)
    rows = [
        {"run_id": run_id, "changed_at": changed_at, **change}
        for row in fields.iter_rows(named=True)
        for change in _changes_of_field(
            row["field"],
            last.get(row["field"]),
            [*early.get(row["field"], []), _final_step(row, known.get(row["field"]))],
        )
    ]
    new = pl.DataFrame(rows, FIELD_TYPE_CHANGES.schema)
    return pl.concat([published.changes, new]).sort(*FIELD_TYPE_CHANGES.key)


def _changes_of_field(field: str, last: Row | None, steps: Sequence[TypeStep]) -> list[dict[str, object]]:
    """Rows for the steps at which the type of a field changes."""
    previous_type, number = (None, 0) if last is None else (last["type"], last["change_number"])
    rows: list[dict[str, object]] = []
    for step in steps:
        if step.type != previous_type:
            number += 1
            rows.append({"field": field, "change_number": number, "previous_type": previous_type, **step._asdict()})
            previous_type = step.type
    return rows


def _final_step(row: Row, published: Row | None) -> TypeStep:
    """The type at the end of the run, with the cause that applies if it differs from the published one."""
    if row["is_overridden"]:
        return TypeStep(row["type"], "override", "A person set it.", row["event_count"])
    if published is not None and published["is_overridden"]:
        cause = "unset"
    elif published is not None and published["event_count"] == row["event_count"]:
        cause = "new_rules"
    else:
        cause = "more_values"
    return TypeStep(row["type"], cause, row["reason"], row["event_count"])


def _checkpoint_steps(
    fields: pl.DataFrame, known: Mapping[str, Row], values: pl.DataFrame | pl.LazyFrame, events: pl.DataFrame
) -> dict[str, list[TypeStep]]:
    """Types at the checkpoints that this run passed, by field. Overridden fields are left out."""
    published_count = pl.col("field").replace_strict(
        {field: row["event_count"] for field, row in known.items()}, default=0, return_dtype=pl.Int64
    )
    detected = {field: row["detected_type"] for field, row in known.items()}
    steps: dict[str, list[TypeStep]] = {}
    for limit, cause in CHECKPOINTS.items():
        passed = fields.filter(~pl.col("is_overridden"), published_count < limit, pl.col("event_count") >= limit)
        for profile in profile_fields(_first_values(values, events, passed["field"], limit)):
            decision = decide_type(profile, detected.get(profile.field))
            steps.setdefault(profile.field, []).append(TypeStep(decision.type, cause, decision.reason, limit))
    return steps


def _first_values(
    values: pl.DataFrame | pl.LazyFrame, events: pl.DataFrame, fields: pl.Series, limit: int
) -> pl.DataFrame:
    """Rows of ``event_values`` for the first ``limit`` events with each field."""
    order = events.lazy().select("event_id").with_row_index("at")
    found = values.lazy().filter(pl.col("field").is_in(fields.implode())).join(order, on="event_id")
    last = found.group_by("field").agg(pl.col("at").bottom_k(limit).max().alias("last"))
    return found.join(last, on="field").filter(pl.col("at") <= pl.col("last")).drop("last").collect(engine="streaming")
