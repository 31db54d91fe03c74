"""Rules that all wire formats share. Messages name the field, never its value, because they may be logged.

Each ``validate_`` function returns the valid value and raises ValidationError otherwise.
"""

import re
from dataclasses import dataclass
from typing import Any

from turret_pipeline.collector.api_errors import INVALID_REQUEST, MISSING_REQUIRED_FIELD, TEXT_TOO_LONG

MAX_NAME_LENGTH = 255
MAX_ID_LENGTH = 255
MAX_KEY_LENGTH = 255
RESERVED_NAMES = ("(start)", "(end)", "(other)", "(struggle)")  # what the pipeline adds to journeys
LATENCY_BELOW = 1e7  # seconds
SECONDS_RANGE = (946_684_800, 7_226_582_399)  # Unix time of 2000 to 2198
MILLISECONDS_RANGE = (946_684_800_000, 7_226_582_399_000)

_LEAP_YEARS = "(?:(?:20|21)(?:0[48]|[2468][048]|[13579][26])|2000)"
_YEARS = "(?:20[0-9][0-9]|21(?:[0-8][0-9]|9[0-8]))"
_DAYS = (
    f"(?:{_YEARS}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEARS}-02-29)"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_ZONE = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
TIMESTAMP_PATTERN = f"^{_DAYS}(?:[T ]{_CLOCK}(?::[0-5][0-9](?:\\.[0-9]{{1,9}})?)?{_ZONE}?)?$"
"""ISO 8601, real days of 2000 to 2198; time of day, seconds and time zone are optional."""

_TIMESTAMP = re.compile(TIMESTAMP_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)
_ZONED = re.compile(f"T.*{_ZONE}$|:.*{_ZONE}$", re.ASCII)


class ValidationError(Exception):
    """A rule that a request breaks: an error code and a message."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MetadataLimits:
    """Longest text in metadata, in characters, deepest nesting, in levels, and most keys at all levels together."""

    max_text_length: int
    max_depth: int
    max_keys: int


def validate_object(value: object, subject: str) -> dict[str, Any]:
    """The value, if it is a JSON object."""
    if type(value) is not dict:
        raise ValidationError(INVALID_REQUEST, f"{subject} is {describe_type(value)}: it must be an object.")
    return value


def required_value(item: dict[str, Any], field: str) -> object:
    """Value of a required field; null counts as missing."""
    value = item.get(field)
    if value is None:
        raise ValidationError(MISSING_REQUIRED_FIELD, f"Missing required field: {field}")
    return value


def validate_name(value: object, field: str) -> str:
    """The value, if it can be the name of an event."""
    if type(value) is not str:
        raise ValidationError(INVALID_REQUEST, f"{field} is {describe_type(value)}: it must be a string.")
    if not 0 < len(value) <= MAX_NAME_LENGTH:
        raise ValidationError(
            INVALID_REQUEST, f"{field} has {len(value)} characters: it must have 1 to {MAX_NAME_LENGTH}."
        )
    text = value.strip()
    if not text or text in RESERVED_NAMES:
        fault = "only white space" if not text else "a reserved name"
        raise ValidationError(INVALID_REQUEST, f"{field} is {fault}: use another name.")
    return value


def validate_id(value: object, field: str, *, may_be_number: bool = False) -> str:
    """The value as an id: a text that is not empty, or a number if ``may_be_number``."""
    if type(value) is str:
        if not 0 < len(value) <= MAX_ID_LENGTH:
            raise ValidationError(
                INVALID_REQUEST, f"{field} has {len(value)} characters: it must have 1 to {MAX_ID_LENGTH}."
            )
        if not value.strip():
            raise ValidationError(INVALID_REQUEST, f"{field} is only white space: use another id.")
        return value
    if may_be_number and type(value) in {int, float}:
        return str(value)
    raise ValidationError(INVALID_REQUEST, f"{field} is {describe_type(value)}: it must be a string.")


def validate_optional_id(value: object, field: str, *, may_be_number: bool = False) -> str | None:
    """The value as an id; None for null, and for a text that is empty or only white space."""
    is_blank = value is None or (type(value) is str and len(value) <= MAX_ID_LENGTH and not value.strip())
    return None if is_blank else validate_id(value, field, may_be_number=may_be_number)


def validate_text(value: object, field: str, limits: MetadataLimits) -> str:
    """The value, if it is a text within the length limit."""
    if type(value) is not str:
        raise ValidationError(INVALID_REQUEST, f"{field} is {describe_type(value)}: it must be a string.")
    if len(value) > limits.max_text_length:
        raise _text_too_long(field, len(value), limits)
    return value


def validate_timestamp(value: object, field: str) -> str:
    """The value, if it is an ISO 8601 time."""
    if type(value) is not str:
        raise ValidationError(
            INVALID_REQUEST, f"{field} is {describe_type(value)}: it must be a string with an ISO 8601 time."
        )
    if not _TIMESTAMP.fullmatch(value):
        raise ValidationError(INVALID_REQUEST, f"{field} is not an ISO 8601 time between 2000 and 2198.")
    return value


def validate_time(value: object, field: str) -> str | float:
    """The value, if it is an ISO 8601 time, or a Unix time in seconds or milliseconds."""
    if type(value) is int or type(value) is float:
        return validate_unix_time(value, field)
    return validate_timestamp(value, field)


def is_naive(value: object) -> bool:
    """True for a valid timestamp without a time zone."""
    return type(value) is str and not _ZONED.search(value)


def validate_unix_time(value: float, field: str) -> float:
    """The value, if it is a Unix time in seconds or milliseconds."""
    if any(low <= value <= high for low, high in (SECONDS_RANGE, MILLISECONDS_RANGE)):
        return value
    raise ValidationError(
        INVALID_REQUEST, f"{field} is not a Unix time in seconds or milliseconds between 2000 and 2198."
    )


def validate_metadata(values: dict[str, Any], field: str, limits: MetadataLimits, depth: int = 1) -> dict[str, Any]:
    """The values, if their keys, texts and nesting are within the limits at every level."""
    if depth == 1:
        _validate_key_count(values, field, limits.max_keys)
    for key, value in values.items():
        if len(key) > MAX_KEY_LENGTH:
            raise ValidationError(
                INVALID_REQUEST,
                f"{field} has a key of {len(key)} characters: the limit is {MAX_KEY_LENGTH}. Shorten it.",
            )
        if type(value) is str:
            if len(value) > limits.max_text_length:
                raise _text_too_long(f"{field}.{key}" if depth == 1 else f"a text in {field}", len(value), limits)
        elif type(value) is dict or type(value) is list:
            _validate_nested(value, field, limits, depth + 1)
    return values


def _validate_nested(value: dict[str, Any] | list[Any], field: str, limits: MetadataLimits, depth: int) -> None:
    if depth > limits.max_depth:
        raise ValidationError(
            INVALID_REQUEST,
            f"{field} has more than {limits.max_depth} levels of nesting (setting max_nesting): make it flatter.",
        )
    if isinstance(value, dict):
        validate_metadata(value, field, limits, depth)
        return
    for element in value:
        if type(element) is str:
            validate_text(element, f"a text in {field}", limits)
        elif type(element) is dict or type(element) is list:
            _validate_nested(element, field, limits, depth + 1)


def _validate_key_count(values: dict[str, Any], field: str, max_keys: int) -> None:
    """Reject values with too many keys at all levels, counted without recursion."""
    count, waiting = 0, list[Any]([values])
    while waiting and count <= max_keys:
        value = waiting.pop()
        if type(value) is dict:
            count += len(value)
            value = value.values()
        waiting += [inner for inner in value if type(inner) is dict or type(inner) is list]
    if count > max_keys:
        raise ValidationError(
            INVALID_REQUEST,
            f"{field} has {count} keys or more: the limit is {max_keys} (setting max_keys). Send fewer, or several as "
            "one text.",
        )


def describe_type(value: object) -> str:
    """JSON type of a value, with its article, as in "an array"."""
    names: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return "null" if value is None else names.get(type(value), "an object")


def _text_too_long(field: str, length: int, limits: MetadataLimits) -> ValidationError:
    return ValidationError(
        TEXT_TOO_LONG, f"{field} has {length} characters: the limit is {limits.max_text_length}. Shorten it."
    )
