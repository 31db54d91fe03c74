"""Table ``field_type_changes``: each change of a field's type, and what caused it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from turret_pipeline.fields.detection import detect_type
from turret_pipeline.fields.facts import field_facts
from turret_pipeline.tables import FIELD_TYPE_CHANGES, FIELDS

CHECKED_AT = {1: "first_event", 100: "hundred_events"}
"""Events with a field after which its type is looked at, beside all of them at the end of each run."""

Row = Mapping[str, Any]


class Step(NamedTuple):
    """A type that a field had at some point of a run."""

    type: str
    cause: str
    reason: str
    event_count: int


@dataclass(frozen=True)
class Before:
    """What the last run published: table ``fields``, and all changes until then."""

    fields: pl.DataFrame
    changes: pl.DataFrame

    @classmethod
    def nothing(cls) -> "Before":
        """Nothing was published yet."""
        return cls(FIELDS.empty(), FIELD_TYPE_CHANGES.empty())


def type_changes(
    before: Before,
    fields: pl.DataFrame,
    values: pl.DataFrame,
    events: pl.DataFrame,
    run_id: str,
    changed_at: dt.datetime,
) -> pl.DataFrame:
    """Table ``field_type_changes`` up to this run's table ``fields``, made of ``event_values`` and ``events``.

    A field's type is detected on its first event, on its first hundred, and on all in each run; events come in order.
    """
    last = {row["field"]: row for row in before.changes.sort("change_number").iter_rows(named=True)}
    known = {row["field"]: row for row in before.fields.iter_rows(named=True) if row["field"] in last}
    early = _early_steps(fields, known, values, events)
    rows = [
        {"run_id": run_id, "changed_at": changed_at, **change}
        for row in fields.iter_rows(named=True)
        for change in _changes(
            row["field"],
            last.get(row["field"]),
            [*early.get(row["field"], []), _step_of_run(row, known.get(row["field"]))],
        )
    ]
    new = pl.DataFrame(rows, FIELD_TYPE_CHANGES.schema)
    return pl.concat([before.changes, new]).sort(*FIELD_TYPE_CHANGES.key)


def _changes(field: str, last: Row | None, steps: Sequence[Step]) -> list[dict[str, object]]:
    """The rows of a field whose type becomes that of each step in turn."""
    previous_type, number = (None, 0) if last is None else (last["type"], last["change_number"])
    rows: list[dict[str, object]] = []
    for step in steps:
        if step.type != previous_type:
            number += 1
            rows.append({"field": field, "change_number": number, "previous_type": previous_type, **step._asdict()})
            previous_type = step.type
    return rows


def _step_of_run(now: Row, before: Row | None) -> Step:
    """The type in force at the end of the run, and the cause if it is another one than before."""
    if now["is_overridden"]:
        return Step(now["type"], "override", "A person set it.", now["event_count"])
    if before is not None and before["is_overridden"]:
        cause = "unset"
    elif before is not None and before["event_count"] == now["event_count"]:
        cause = "new_rules"
    else:
        cause = "more_values"
    return Step(now["type"], cause, now["reason"], now["event_count"])


def _early_steps(
    fields: pl.DataFrame, known: Mapping[str, Row], values: pl.DataFrame, events: pl.DataFrame
) -> dict[str, list[Step]]:
    """The types by the first event and the first hundred, of fields that had fewer before and nobody decides about."""
    seen = pl.col("field").replace_strict(
        {field: row["event_count"] for field, row in known.items()}, default=0, return_dtype=pl.Int64
    )
    found: dict[str, list[Step]] = {}
    for limit, cause in CHECKED_AT.items():
        passed = fields.filter(~pl.col("is_overridden"), seen < limit, pl.col("event_count") >= limit)
        for facts in field_facts(_first_values(values, events, passed["field"], limit)):
            kind, reason = detect_type(facts)
            found.setdefault(facts.field, []).append(Step(kind, cause, reason, limit))
    return found


def _first_values(values: pl.DataFrame, events: pl.DataFrame, fields: pl.Series, limit: int) -> pl.DataFrame:
    """The rows of ``event_values`` of the first events that carry each field."""
    order = events.select("event_id").with_row_index("at")
    found = values.filter(pl.col("field").is_in(fields.implode())).join(order, on="event_id", validate="m:1")
    return found.filter(pl.col("at").rank("ordinal").over("field") <= limit)
