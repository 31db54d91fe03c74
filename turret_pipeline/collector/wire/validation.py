"""Rules that all wires share. Sentences name the field and the verdict, never the value: they may end up in logs."""

import re
from dataclasses import dataclass
from typing import Any

from turret_pipeline.collector.api_errors import INVALID_REQUEST, MISSING_REQUIRED_FIELD, TEXT_TOO_LONG

NAME_LIMIT = 255
ID_LIMIT = 255
KEY_LIMIT = 255
RESERVED_NAMES = ("(start)", "(end)", "(other)")  # the pipeline's ends of journeys
LATENCY_BELOW = 1e7
SECONDS_RANGE = (-2_177_452_800, 7_226_582_399)  # Unix time of 1901 to 2198
MILLISECONDS_RANGE = (100_000_000_000, 7_226_582_399_000)

_LEAP_YEARS = "(?:(?:19|20|21)(?:0[48]|[2468][048]|[13579][26])|2000)"
_YEARS = "(?:19(?:0[1-9]|[1-9][0-9])|20[0-9][0-9]|21(?:[0-8][0-9]|9[0-8]))"
_DAYS = (
    f"(?:{_YEARS}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEARS}-02-29)"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_ZONE = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
TIMESTAMP_PATTERN = f"^{_DAYS}(?:[T ]{_CLOCK}(?::[0-5][0-9](?:\\.[0-9]{{1,9}})?)?{_ZONE}?)?$"
"""ISO 8601 from 1901 to 2198, days that exist; a time, seconds and a zone are optional."""

_TIMESTAMP = re.compile(TIMESTAMP_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)
_ZONED = re.compile(f"T.*{_ZONE}$|:.*{_ZONE}$", re.ASCII)


class Invalid(Exception):  # noqa: N818 - a verdict on what was sent, not an error of the program
    """Something that was sent breaks a rule: a code and a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long texts of metadata may be, and how deep it may nest."""

    text_length: int
    nesting: int


def as_object(value: object, what: str) -> dict[str, Any]:
    """The value as a JSON object."""
    if type(value) is not dict:
        raise Invalid(INVALID_REQUEST, f"{what} is {kind(value)}: it must be an object.")
    return value


def required(item: dict[str, Any], field: str) -> object:
    """What a field holds; null is as good as nothing."""
    value = item.get(field)
    if value is None:
        raise Invalid(MISSING_REQUIRED_FIELD, f"Missing required field: {field}")
    return value


def name(value: object, field: str) -> str:
    """A name that an event can have."""
    if type(value) is not str:
        raise Invalid(INVALID_REQUEST, f"{field} is {kind(value)}: it must be a string.")
    if not 0 < len(value) <= NAME_LIMIT:
        raise Invalid(INVALID_REQUEST, f"{field} has {len(value)} characters: it must have 1 to {NAME_LIMIT}.")
    text = value.strip()
    if not text or text in RESERVED_NAMES:
        verdict = "only white space" if not text else "a name with a meaning of its own in journeys"
        raise Invalid(INVALID_REQUEST, f"{field} is {verdict}: give it another.")
    return value


def identifier(value: object, field: str, *, may_be_number: bool = False) -> str:
    """An id that is there: a text that is not empty, or where allowed a number."""
    if type(value) is str:
        if not 0 < len(value) <= ID_LIMIT:
            raise Invalid(INVALID_REQUEST, f"{field} has {len(value)} characters: it must have 1 to {ID_LIMIT}.")
        return value
    if may_be_number and type(value) in {int, float}:
        return str(value)
    raise Invalid(INVALID_REQUEST, f"{field} is {kind(value)}: it must be a string.")


def optional_identifier(value: object, field: str, *, may_be_number: bool = False) -> str | None:
    """An id, or None for null, nothing, or an empty text."""
    return None if value is None or value == "" else identifier(value, field, may_be_number=may_be_number)


def text(value: object, field: str, bounds: Bounds) -> str:
    """A text that is not too long."""
    if type(value) is not str:
        raise Invalid(INVALID_REQUEST, f"{field} is {kind(value)}: it must be a string.")
    if len(value) > bounds.text_length:
        raise _too_long(field, len(value), bounds)
    return value


def timestamp(value: object, field: str) -> str:
    """A time as ISO 8601."""
    if type(value) is not str:
        raise Invalid(INVALID_REQUEST, f"{field} is {kind(value)}: it must be a string, as ISO 8601.")
    if not _TIMESTAMP.fullmatch(value):
        raise Invalid(INVALID_REQUEST, f"{field} is no time as ISO 8601, from 1901 to 2198.")
    return value


def is_naive(value: object) -> bool:
    """Whether a valid timestamp says no zone."""
    return type(value) is str and not _ZONED.search(value)


def unix_time(value: float, field: str) -> float:
    """A time as Unix seconds or milliseconds."""
    if any(low <= value <= high for low, high in (SECONDS_RANGE, MILLISECONDS_RANGE)):
        return value
    raise Invalid(INVALID_REQUEST, f"{field} is no Unix time in seconds or milliseconds, from 1901 to 2198.")


def metadata(values: dict[str, Any], field: str, bounds: Bounds, depth: int = 1) -> dict[str, Any]:
    """An object whose texts, at any depth, are not too long, and which does not nest too deep."""
    for key, value in values.items():
        if len(key) > KEY_LIMIT:
            raise Invalid(INVALID_REQUEST, f"{field} has a key of {len(key)} characters: at most {KEY_LIMIT} may be.")
        if type(value) is str:
            if len(value) > bounds.text_length:
                raise _too_long(f"{field}.{key}" if depth == 1 else f"a text in {field}", len(value), bounds)
        elif type(value) is dict or type(value) is list:
            _inside(value, field, bounds, depth + 1)
    return values


def _inside(value: dict[str, Any] | list[Any], field: str, bounds: Bounds, depth: int) -> None:
    if depth > bounds.nesting:
        raise Invalid(INVALID_REQUEST, f"{field} nests deeper than {bounds.nesting} levels: make it flatter.")
    if isinstance(value, dict):
        metadata(value, field, bounds, depth)
        return
    for element in value:
        if type(element) is str:
            text(element, f"a text in {field}", bounds)
        elif type(element) is dict or type(element) is list:
            _inside(element, field, bounds, depth + 1)


def kind(value: object) -> str:
    """What a value is, in a person's words."""
    names: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return "null" if value is None else names.get(type(value), "an object")


def _too_long(field: str, length: int, bounds: Bounds) -> Invalid:
    return Invalid(TEXT_TOO_LONG, f"{field} has {length} characters: at most {bounds.text_length} may be.")
