"""Values of a row, found by dotted paths and held to the rules of the canonical columns."""

import contextlib
import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.times import is_told, read_time
from turret_pipeline.tables import END, OTHER, START

NAME_LIMIT = 255
SHOWN_LIMIT = 80
Row: TypeAlias = Mapping[str, Any]
Paths: TypeAlias = tuple[str, ...]
"""Where a value comes from: dotted paths of which the first that says something counts; "=text" is a constant."""


def lookup(row: Row, path: str) -> Any:  # noqa: ANN401 - it may be any JSON
    """What stands at a path, or None. A key that has the dots in its own name comes first."""
    if path in row:
        return row[path]
    if path[:1] == "=":
        return path[1:]
    while path not in row:
        head, dot, path = path.partition(".")
        inner = row.get(head) if dot else None
        if not isinstance(inner, Mapping):
            return None
        row = inner
    return row[path]


def spoken(row: Row, paths: Paths) -> tuple[str, Any]:
    """The first path that says something, with its value; the last path where none does."""
    path, value = "", None
    for path in paths:
        value = lookup(row, path)
        if value is not None and value != "":
            break
    return path, value


def without(row: Row, paths: Iterable[str]) -> dict[str, Any]:
    """A copy of the row that lacks what stands at the paths."""
    left, inside = dict(row), dict[str, list[str]]()
    for path in paths:
        head, _, rest = path.partition(".")
        if path in left:
            del left[path]
        elif rest:
            inside.setdefault(head, []).append(rest)
    for head, rests in inside.items():
        if isinstance(inner := left.get(head), Mapping):
            left[head] = without(inner, rests)
    return left


def told(values: Row) -> dict[str, Any]:
    """What is not null."""
    return {key: value for key, value in values.items() if value is not None}


def opened(row: Row, keys: Paths) -> Row:
    """The row with JSON text parsed where an object or an array belongs, as CSV and Parquet carry them."""
    texts = {key: row[key] for key in keys if isinstance(row.get(key), str)}
    return {**row, **{key: from_json(text) for key, text in texts.items()}} if texts else row


def from_json(value: object) -> object:
    """What a JSON object or array in a string says; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(value)
    return value


def name(path: str, value: object) -> str:
    """The name of an event."""
    key = _key(path)
    if value is None:
        raise Rejection("missing_name", f"{key} is missing: an event needs a name.")
    if not isinstance(value, str):
        raise Rejection("invalid_name", f"{key} is {kind(value)}: it must be a string.")
    found = value.strip()
    if not 1 <= len(found) <= NAME_LIMIT:
        raise Rejection("invalid_name", f"{key} has {len(found)} characters: it must have 1 to {NAME_LIMIT}.")
    if found in {START, END, OTHER}:
        raise Rejection(
            "invalid_name", f"{key} is {found}, which has a meaning of its own in journeys: choose another."
        )
    return found


def identifier(column: str, path: str, value: object) -> str | None:
    """An id as text; None where there is none."""
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 1024:
        return str(value)
    if isinstance(value, float):  # Parquet and data frames turn whole numbers with gaps into these
        if math.isnan(value):
            return None
        if math.isfinite(value):
            return str(int(value)) if value.is_integer() else str(value)
    raise Rejection(f"invalid_{column}", f"{_key(path)} is {kind(value)}: it must be a string or a number.")


def text(column: str, path: str, value: object) -> str:
    """What somebody wrote."""
    if not isinstance(value, str):
        raise Rejection(f"invalid_{column}", f"{_key(path)} is {kind(value)}: it must be a string.")
    return value


def an_object(path: str, value: object) -> Row:
    """An object; an empty one where there is none."""
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise Rejection(f"invalid_{_key(path)}", f"{_key(path)} is {kind(value)}: it must be an object.")
    return value


def latency(path: str, value: object) -> float | None:
    """Seconds between a prompt and its generation."""
    if value is None or value == "":
        return None
    if isinstance(value, str):  # CSV has no numbers
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        raise Rejection("invalid_latency", f"{_key(path)} is {shown(value)}: it must be seconds, 0 or more.")
    return float(value)


def time(path: str, value: object) -> tuple[dt.datetime | None, bool]:
    """A time in UTC, and whether its zone was assumed; None where there is none."""
    if value is None or value == "":
        return None, False
    try:
        at, is_zone_assumed = read_time(value)
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None or not is_told(at):
        verdict = "it must be ISO 8601 or Unix time, from 1900 to 2199."
        raise Rejection("invalid_timestamp", f"{_key(path)} is {shown(value)}: {verdict}")
    return at, is_zone_assumed


def kind(value: object) -> str:
    """What a value is, in words."""
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")


def shown(value: object) -> str:
    """A value as a sentence can hold it: short, whatever is inside."""
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN_LIMIT else f"{value[:SHOWN_LIMIT]!r}..."
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length():,} bits"
    return kind(value) if isinstance(value, Mapping | list | tuple) else str(value)


def _key(path: str) -> str:
    """The name by which a person knows the value: the last part of its path."""
    return path.rpartition(".")[2]
