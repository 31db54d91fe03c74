"""One parsed record to canonical events: Turret events, Trubrics events, Trubrics LLM events.

Belongs here: the shapes of the sources and their rules. Not here: bytes, files, frames.
"""

import contextlib
import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turret_pipeline.tables import END, OTHER, START

TURRET, TRUBRICS_EVENT, TRUBRICS_LLM = "turret", "trubrics_event", "trubrics_llm"
NAME_LIMIT = 255
EARLIEST, LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)

_NAME_KEYS = ("name", "event_name")
_TURRET_KEYS = {
    *("event_id", "session_id", "user_id", "metadata", "received_at"),
    *("source_format", "source_file", "line_number", "item_number", "is_session_derived"),  # an export of our own
}
_TRUBRICS_KEYS = {"event_id", "user_id", "event", "timestamp", "received_at", "properties", "thread_id"}
_LLM_KEYS = {
    *("event_id", "user_id", "prompt", "generation", "assistant_id", "timestamp", "received_at", "latency"),
    *("prompt_event_name", "generation_event_name", "thread_id", "properties"),
}
_RESERVED = {"$thread_id", "$text", "$assistant_id"}


class Refused(Exception):  # noqa: N818 - a verdict on a row, not an error of the program
    """A row that cannot become an event: a short code to count by and a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Event:
    """A canonical event before it has an id of its own and a session."""

    event_id: str | None
    event_name: str
    session_id: str | None
    user_id: str | None
    event_at: dt.datetime | None
    received_at: dt.datetime | None
    source_format: str
    metadata: dict[str, Any]
    is_zone_assumed: bool = False


def parse_record(record: object) -> list[Event]:
    """The events of one record, in time order: one, or two for a Trubrics LLM event. Raises Refused."""
    if not isinstance(record, Mapping):
        raise Refused("not_an_object", f"A row must be a JSON object with a name; this is {_kind(record)}.")
    if "prompt" in record and "generation" in record and not any(key in record for key in (*_NAME_KEYS, "event")):
        return _llm_events(record)
    if "event" in record and not any(key in record for key in _NAME_KEYS):
        return [_trubrics_event(record)]
    if any(key in record for key in _NAME_KEYS):
        return [_turret_event(record)]
    keys = ", ".join(sorted(map(str, record))[:8]) or "none"
    raise Refused(
        "unknown_shape", f"A row needs name (Turret), event, or prompt and generation (Trubrics); keys: {keys}."
    )


def _turret_event(record: Mapping[str, Any]) -> Event:
    received_at = _time(record, "received_at")
    metadata = _object(record, "metadata")
    name_key, time_key = _first(record, "event_name", "name"), _first(record, "event_at", "timestamp")
    used = _TURRET_KEYS | {name_key, time_key}
    extra = {key: value for key, value in record.items() if key not in used and value is not None}
    return Event(
        event_id=_identifier(record, "event_id"),
        event_name=_name(record, name_key),
        session_id=_identifier(record, "session_id"),
        user_id=_identifier(record, "user_id"),
        event_at=_event_at(_time(record, time_key), received_at),
        received_at=received_at,
        source_format=TURRET,
        metadata={**extra, **metadata},
    )


def _first(record: Mapping[str, Any], canonical: str, usual: str) -> str:
    """The key that speaks for an event where both may be there: the canonical one, if it says something."""
    return usual if record.get(canonical) in {None, ""} else canonical


def _trubrics_event(record: Mapping[str, Any]) -> Event:
    properties = _object(record, "properties")
    received_at = _time(record, "received_at")
    reserved = {"text": properties.get("$text"), "assistant_id": properties.get("$assistant_id")}
    return Event(
        event_id=_identifier(record, "event_id"),
        event_name=_name(record, "event"),
        session_id=_identifier(record, "thread_id") or _identifier(properties, "$thread_id"),
        user_id=_required_user(record),
        event_at=_event_at(_time(record, "timestamp"), received_at),
        received_at=received_at,
        source_format=TRUBRICS_EVENT,
        metadata=_properties(record, properties, reserved, _TRUBRICS_KEYS),
    )


def _llm_events(record: Mapping[str, Any]) -> list[Event]:
    properties = _object(record, "properties")
    received_at = _time(record, "received_at")
    generated_at = _event_at(_time(record, "timestamp"), received_at)
    latency = _latency(record)
    event_id, user_id = _identifier(record, "event_id"), _required_user(record)
    session_id = _identifier(record, "thread_id") or _identifier(properties, "$thread_id")
    assistant = record.get("assistant_id") or properties.get("$assistant_id")
    shared = _properties(record, properties, {"assistant_id": assistant}, _LLM_KEYS)

    def event(part: str, name: str, at: dt.datetime | None, own: dict[str, Any]) -> Event:
        part_id = f"{event_id}-{part}" if event_id else None
        return Event(part_id, name, session_id, user_id, at, received_at, TRUBRICS_LLM, {**shared, **own})

    prompt_name = _name({"prompt_event_name": "User prompt", **_present(record)}, "prompt_event_name")
    generation_name = _name({"generation_event_name": "AI generation", **_present(record)}, "generation_event_name")
    prompted_at = generated_at and generated_at - dt.timedelta(seconds=latency or 0)
    timing = {} if latency is None else {"latency": latency}
    return [
        event("prompt", prompt_name, prompted_at, {"prompt": _text(record, "prompt")}),
        event("generation", generation_name, generated_at, {"generation": _text(record, "generation"), **timing}),
    ]


def _properties(
    record: Mapping[str, Any], properties: Mapping[str, Any], named: Mapping[str, Any], known: set[str]
) -> dict[str, Any]:
    extra = {key: value for key, value in record.items() if key not in known}
    own = {key: value for key, value in properties.items() if key not in _RESERVED}
    return _present({**extra, **own, **named})


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _name(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if value is None:
        raise Refused("missing_name", f"{key} is missing: an event needs a name.")
    if not isinstance(value, str):
        raise Refused("invalid_name", f"{key} is {_kind(value)}: it must be a string.")
    name = value.strip()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Refused("invalid_name", f"{key} has {len(name)} characters: it must have 1 to {NAME_LIMIT}.")
    if name in {START, END, OTHER}:
        raise Refused("invalid_name", f"{key} is {name}, which has a meaning of its own in journeys: choose another.")
    return name


def _identifier(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(f"invalid_{key.strip('$')}", f"{key} is {_kind(value)}: it must be a string or a number.")
    if isinstance(value, float):  # Parquet and data frames turn whole numbers with gaps into these
        return str(int(value)) if value.is_integer() else None if math.isnan(value) else str(value)
    return str(value)


def _required_user(record: Mapping[str, Any]) -> str:
    user_id = _identifier(record, "user_id")
    if user_id is None:
        raise Refused("missing_user_id", "user_id is missing: a Trubrics event needs one.")
    return user_id


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record[key]
    if not isinstance(value, str):
        raise Refused(f"invalid_{key}", f"{key} is {_kind(value)}: it must be a string.")
    return value


def _object(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Refused(f"invalid_{key}", f"{key} is {_kind(value)}: it must be an object.")
    return value


def _latency(record: Mapping[str, Any]) -> float | None:
    value = record.get("latency")
    if value is None:
        return None
    if isinstance(value, str):  # CSV has no numbers
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        raise Refused("invalid_latency", f"latency is {value!r}: it must be seconds, 0 or more.")
    return float(value)


def _event_at(event_at: dt.datetime | None, received_at: dt.datetime | None) -> dt.datetime | None:
    return event_at or received_at


def _time(record: Mapping[str, Any], key: str) -> dt.datetime | None:
    value = record.get(key)
    if value is None or value == "":
        return None
    try:
        at = to_utc(value)
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None or not EARLIEST <= at < LATEST:
        raise Refused("invalid_timestamp", f"{key} is {value!r}: it must be ISO 8601 or Unix time, from 1900 to 2199.")
    return at


def to_utc(value: object) -> dt.datetime:
    """A time in UTC, from ISO 8601 (without a zone: UTC), a datetime, or Unix seconds to nanoseconds.

    Raises ValueError for anything else.
    """
    if isinstance(value, str):
        text = value.strip()
        is_unix = text.replace(".", "", 1).isdigit() and len(text) != len("20240101")
        value = float(text) if is_unix else _from_iso(text)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no time")
    seconds = float(value)
    while abs(seconds) >= 1e11:  # 1e11 seconds is the year 5138: larger numbers count milli-, micro- or nanoseconds
        seconds /= 1000
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)


def _from_iso(text: str) -> dt.datetime:
    if len(text) < len("20240101"):
        raise ValueError(f"{text!r} is no time")
    return dt.datetime.fromisoformat(text.removesuffix(" UTC"))


def _kind(value: object) -> str:
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")
