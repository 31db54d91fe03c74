"""Small tables of values and events."""

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl

from turret_pipeline.tables import EVENT_VALUES, FIELDS

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
Value = tuple[str, str, float | None]
"""JSON type, value and number of a metadata value."""


def strings(*values: str) -> list[Value]:
    return [("string", value, None) for value in values]


def numbers(*values: float, json_type: str = "number") -> list[Value]:
    return [(json_type, f"{value:g}", float(value)) for value in values]


def table(fields: Mapping[str, Sequence[Value]]) -> pl.DataFrame:
    """Table event_values; the first value of each field is on event e0."""
    rows = [(f"e{at}", field, *value) for field, values in fields.items() for at, value in enumerate(values)]
    return pl.DataFrame(rows, EVENT_VALUES.schema, orient="row")


def events(count: int) -> pl.DataFrame:
    """Table events with this many events, a minute apart."""
    times = [NOON + dt.timedelta(minutes=at) for at in range(count)]
    schema = {"event_id": pl.String(), "event_at": FIELDS.schema["first_seen_at"]}
    return pl.DataFrame({"event_id": [f"e{at}" for at in range(count)], "event_at": times}, schema)
