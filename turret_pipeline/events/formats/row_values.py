"""Values of a row, found by dotted paths and checked against the rules of the canonical columns."""

import contextlib
import datetime as dt
import functools
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.placeholders import is_placeholder
from turret_pipeline.events.formats.times import InvalidTimeError, is_plausible_time, read_time
from turret_pipeline.json_repair import Loaded, load_json
from turret_pipeline.tables import END, OTHER, START, STRUGGLE_OUTCOME

NAME_LIMIT = 255
_DESCRIPTION_LIMIT = 80
Row: TypeAlias = Mapping[str, Any]
Paths: TypeAlias = tuple[str, ...]
"""Alternative dotted paths to a value: the first one with a value counts. "=text" is a constant."""


def in_both_cases(*paths: str) -> Paths:
    """The paths, each followed by itself in camel case if that differs: ``user_id``, ``userId``."""
    return tuple(
        dict.fromkeys(name for path in paths for name in (path, re.sub(r"_([a-z])", lambda at: at[1].upper(), path)))
    )


def lookup(row: Row, path: str) -> Any:  # noqa: ANN401 - it may be any JSON
    """Value at a path, or None. ``choices.0`` is the first choice; a key that contains the dots itself comes first."""
    if path in row:
        return row[path]
    if path[:1] == "=":
        return path[1:]
    while path not in row:
        head, _, path = path.partition(".")
        inner = row.get(head) if path else None
        if inner is None:
            return None
        if isinstance(inner, list | tuple):
            index, _, path = path.partition(".")
            inner = inner[int(index)] if index.isdecimal() and int(index) < len(inner) else None
            if not path:
                return inner
        if not isinstance(inner, dict | Mapping):  # the type of most values comes first: this is faster
            return None
        row = inner
    return row[path]


def first_value(row: Row, paths: Paths) -> tuple[str, Any]:
    """First path with a value that is neither null nor "", and the value; the last path if none has one."""
    path, value = "", None
    for path, head in _split_heads(paths):
        value = lookup(row, path) if path in row or head in row or not head else None
        if value is not None and value != "":
            break
    return path, value


@functools.cache
def _split_heads(paths: Paths) -> tuple[tuple[str, str], ...]:
    """Each path with its first key, which is "" for a constant: most paths of a row can be ruled out by it alone."""
    return tuple((path, "" if path[:1] == "=" else path.partition(".")[0]) for path in paths)


def drop_paths(row: Row, paths: Iterable[str]) -> dict[str, Any]:
    """Copy of the row without the values at the paths."""
    left, inside = dict(row), dict[str, list[str]]()
    for path in paths:
        head, _, rest = path.partition(".")
        if path in left:
            del left[path]
        elif rest:
            inside.setdefault(head, []).append(rest)
    for head, rests in inside.items():
        if isinstance(inner := left.get(head), Mapping):
            left[head] = drop_paths(inner, rests)
    return left


def drop_nulls(values: Row) -> dict[str, Any]:
    """Copy without the keys whose value is null."""
    return {key: value for key, value in values.items() if value is not None}


def parse_json_columns(row: Row, keys: Paths) -> tuple[Row, bool]:
    """The row with objects and arrays in place of their JSON text, which CSV and Parquet files hold instead.

    The second value is true if one of the texts was repaired.
    """
    texts = {key: row[key] for key in keys if isinstance(row.get(key), str)}
    loaded = {key: _load_object(text) for key, text in texts.items()}
    parsed = {**row, **{key: value for key, (value, _) in loaded.items()}} if texts else row
    return parsed, any(repaired_count for _, repaired_count in loaded.values())


def from_json(value: object) -> object:
    """The object or array in a JSON text; any other value unchanged."""
    return _load_object(value).value if isinstance(value, str) else value


def _load_object(text: str) -> Loaded:
    if text.lstrip()[:1] in {"{", "["}:
        with contextlib.suppress(orjson.JSONDecodeError):
            return load_json(text)
    return Loaded(text, 0)


def parse_name(path: str, value: object) -> str:
    """Name of an event. Raises Rejection if it is missing, too long or reserved."""
    key = _last_key(path)
    if value is None:
        raise Rejection("missing_name", f"{key} is missing: an event needs a name.")
    if not isinstance(value, str):
        raise Rejection("invalid_name", f"{key} is {type_name(value)}: it must be a string.")
    found = value.strip()
    if not 1 <= len(found) <= NAME_LIMIT:
        raise Rejection("invalid_name", f"{key} has {len(found)} characters: it must have 1 to {NAME_LIMIT}.")
    if found in {START, END, OTHER, STRUGGLE_OUTCOME}:
        raise Rejection("invalid_name", f"{key} is {found}, which is reserved for journeys: use another name.")
    return found


def parse_identifier(column: str, path: str, value: object) -> str | None:
    """Id as text, or None if it is missing or a placeholder such as "null". Raises Rejection for other types."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if (text := _identifier_text(value)) is not None:
        return None if is_placeholder(column, text) else text
    raise Rejection(f"invalid_{column}", f"{_last_key(path)} is {type_name(value)}: it must be a string or a number.")


def _identifier_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 1024:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):  # data frames turn integers with gaps into floats
        return str(int(value)) if value.is_integer() else str(value)
    return None


def first_identifier(column: str, row: Row, paths: Paths) -> tuple[Paths, str | None]:
    """The first id at the paths, and the paths up to it. Raises Rejection for other types."""
    used: list[str] = []
    for path in paths:
        value = lookup(row, path)
        if value is None or value == "":
            continue
        used.append(path)
        if (found := parse_identifier(column, path, value)) is not None:
            return tuple(used), found
    return tuple(used) or paths[-1:], None


def is_missing(value: object) -> bool:
    """True for null, a blank text, and NaN."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value  # noqa: PLR0124 - NaN


def join_session_id(user: object, session: object) -> str | None:
    """Id of a session whose own id is unique for its user only; None if one of them is missing. Raises Rejection."""
    user_id = parse_identifier("user_id", "user_id", user)
    session_id = parse_identifier("session_id", "session_id", session)
    return f"{user_id}.{session_id}" if user_id and session_id else None


def require_text(column: str, path: str, value: object) -> str:
    """The value, which must be a string. Raises Rejection."""
    if not isinstance(value, str):
        raise Rejection(f"invalid_{column}", f"{_last_key(path)} is {type_name(value)}: it must be a string.")
    return value


def require_object(path: str, value: object) -> Row:
    """The value, which must be an object; an empty one if it is missing. Raises Rejection."""
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        key = _last_key(path)
        raise Rejection(f"invalid_{key}", f"{key} is {type_name(value)}: it must be an object.")
    return value


def parse_latency(path: str, value: object) -> float | None:
    """Seconds between a prompt and its generation, or None. Raises Rejection."""
    if value is None or value == "":
        return None
    if isinstance(value, str):  # CSV has no numbers
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        raise Rejection(
            "invalid_latency", f"{_last_key(path)} is {describe_value(value)}: it must be seconds, 0 or more."
        )
    return float(value)


def read_number(value: object) -> float | None:
    """The number, which CSV files hold as a text; None for anything else."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 else None
    )


def parse_time(path: str, value: object, zone: dt.tzinfo = dt.UTC) -> tuple[dt.datetime | None, bool]:
    """Time in UTC, or None, and whether its zone was assumed to be ``zone``. Raises Rejection."""
    if value is None or value == "":
        return None, False
    problem = "it must be ISO 8601 or Unix time, from 1900 to 2199."
    try:
        at, is_zone_assumed = read_time(value, zone)
        if is_plausible_time(at):
            return at, is_zone_assumed
    except InvalidTimeError as error:
        problem = str(error)
    except (ValueError, OverflowError, OSError):
        pass
    raise Rejection("invalid_timestamp", f"{_last_key(path)} is {describe_value(value)}: {problem}")


def type_name(value: object) -> str:
    """JSON type of a value with its article, such as "a string"."""
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")


def describe_value(value: object) -> str:
    """The value for a message, shortened; only the type of an object or array."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _DESCRIPTION_LIMIT else f"{value[:_DESCRIPTION_LIMIT]!r}..."
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length():,} bits"
    return type_name(value) if isinstance(value, Mapping | list | tuple) else str(value)


def _last_key(path: str) -> str:
    """Last key of a path, the name under which people know the value."""
    return path.rpartition(".")[2]
