"""Guesses about the keys of rows of unknown shape: which of them holds a time, a name, a text.

A guess needs both: a name that people give to such a key, and values that can be read as such.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import find_answers, read_messages
from turret_pipeline.events.formats.row_values import Row, from_json, parse_name, parse_time
from turret_pipeline.events.formats.times import KNOWN_TIMES

Values: TypeAlias = Mapping[str, Sequence[Any]]
"""Values by path, one for each row that has any."""

_LEVELS, _PATH_LIMIT = 4, 200
_IN_ARRAYS = ("generation", "finish_reason")
"""Roles whose values may be in the first item of an array, as in ``choices.0``."""

_VALID_SHARE = 0.95
_ALTERNATIVES = 3
_SAMPLED = 200
"""Values of a path that are looked at."""

_ID = r"(?:_?(?:id|uuid|guid|key|no|nr|number|identifier|hash))?"
_SESSIONS = "session|conversation|conv|thread|chat|dialog|dialogue|visit|ticket|case"
_USERS = (
    "user|end_user|customer|visitor|member|person|contact|client|student|patient|employee|subscriber|player|caller|"
    "buyer|learner"
)
_TEXTS = r"(?:text|content|message|body|value)"
_PROMPTS = (
    "prompt|user_prompt|question|user_question|query|user_query|user_input|user_message|user_text|user_utterance|"
    "customer_message|prompt_text|input_text|instruction|ask|asked|input|inputs|request|human|q"
)
_ANSWERS = (
    "answer|generation|completion|response|reply|assistant_message|assistant_response|bot_response|bot_message|"
    "bot_reply|ai_response|ai_answer|model_output|model_response|llm_response|response_text|answer_text|output_text|"
    "generated_text|output|outputs|choices|candidates|assistant|responded|answered|a"
)
_NAMES: Mapping[str, tuple[str, ...]] = {
    "event_name": (
        "event_name|event",
        "action|action_name|activity|event_type|event_action|operation|interaction|verb|command",
        "name|type|kind|step|screen|page|feature|button|category|title|label|what|topic",
    ),
    "event_at": (
        "timestamp|event_at|event_time|event_timestamp|occurred_at|happened_at",
        "|".join(sorted({re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().lstrip("@") for name in KNOWN_TIMES})),
        "asked_at|requested_at|request_time|sent_time|started_at|begin|start|when|at|datetime|day",
        r"(?!.*(?:update|modif|delet|expir|end|finish|complet|answer|respon|birth)).*(?:_at|_time|_ts|_date|timestamp)",
    ),
    "answered_at": (
        "answered_at|responded_at|response_time|response_at|completed_at|finished_at|ended_at|end_time|end",
    ),
    "latency_ms": (r"(?:latency|duration|elapsed|response_time|took)(?:_?(?:ms|millis|milliseconds))|ms",),
    "latency_seconds": (r"(?:latency|duration|elapsed|response_time|took)(?:_?(?:s|sec|secs|seconds))",),
    "session_id": (
        rf"(?:{_SESSIONS}){_ID}",
        rf"(?:{_SESSIONS})\.(?:id|uuid|key)",
        rf"(?:trace|room|meeting|channel|group){_ID}",
    ),
    "user_id": (
        rf"(?:{_USERS})_?(?:id|uuid|guid|key|no|nr|number|identifier|hash)|uid|distinct_id",
        rf"(?:{_USERS})\.(?:id|uuid|key|user_id|email|name)",
        rf"{_USERS}|username|user_name|login|email|user_email|anonymous_id|who|actor|device_id",
    ),
    "event_id": (
        r"(?:event|message|msg|request|call|log|row|record|interaction|completion|generation|response)_?(?:id|uuid)",
        "id|uuid|guid|_id",
    ),
    "prompt": (rf"(?:{_PROMPTS})\.{_TEXTS}", _PROMPTS),
    "generation": (rf"(?:{_ANSWERS})\.{_TEXTS}", _ANSWERS),
    "author": (
        "role|author_role|sender_role|speaker_role|author_type|sender_type|participant_role",
        r"author|sender|speaker|from|from_type|participant|who|by|direction|party|source|type|author\.role|sender\.type",
    ),
    "text": (f"{_TEXTS}|message_text|utterance|msg|said|says|words|transcript|line|comment|turn|sentence",),
    "message_at": ("timestamp|time|ts|at|date|created_at|sent_at|datetime|when|created|start|start_time",),
    "model": ("model|model_name|model_id|llm|llm_model|engine|deployment",),
    "input_tokens": (r"(?:input|prompt|in|request)_?tokens?(?:_?count)?|tokens_in|num_prompt_tokens",),
    "output_tokens": (r"(?:output|completion|out|response|generated)_?tokens?(?:_?count)?|tokens_out",),
    "cost_usd": (r"(?:total_)?cost(?:_usd)?|price_usd|spend",),
    "finish_reason": ("finish_reason|stop_reason",),
    "is_error": ("is_error|error|has_error|failed|error_message|is_failed",),
}
"""Names by role, best first: of the key alone, or of the key below another one (``user.id``)."""


def collect_values(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """Values by path. Paths lead into objects, JSON texts of columns, and the first item of arrays of objects."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        for key, value in row.items():
            _collect(found, str(key), from_json(value), _LEVELS)
    return found


def find_paths(role: str, values: Values, row_count: int) -> tuple[str, ...]:
    """Paths whose name and values fit a role, best first, until all rows have one of them; empty if none fits."""
    is_valid = _CHECKS[role]
    ranked = [(rank, path.count("."), path) for path in values if (rank := _rank(role, path)) is not None]
    fitting = [path for *_, path in sorted(ranked, key=lambda item: item[:2]) if fits(values[path], is_valid)]
    count, chosen = 0, list[str]()
    for path in fitting[:_ALTERNATIVES]:
        if chosen and count >= row_count:
            break
        chosen.append(path)
        count += len(values[path])
    return tuple(chosen)


def is_inside(role: str, path: str) -> bool:
    """True if a key of the path has a name of the role."""
    return any(_rank(role, key) is not None for key in path.split("."))


def is_in_array(path: str) -> bool:
    """True if the path leads through a place in an array, which holds the value of one item only."""
    return any(map(str.isdecimal, path.split(".")))


def fits(values: Sequence[Any], is_valid: Callable[[Any], bool]) -> bool:
    """True if nearly all of these values are valid, and there is one."""
    sample = values[:_SAMPLED]
    return bool(sample) and sum(map(is_valid, sample)) >= _VALID_SHARE * len(sample)


def find_times_by_value(values: Values, row_count: int) -> tuple[str, ...]:
    """The first path with times in ISO 8601 in nearly all rows, whatever its name."""
    for path, found in values.items():
        is_common = not is_in_array(path) and len(found) >= _VALID_SHARE * row_count
        if is_common and fits(found, lambda value: isinstance(value, str) and is_time(value)):
            return (path,)
    return ()


def is_time(value: object) -> bool:
    """True for a time that can be read and is not just a small number."""
    try:
        at, _ = parse_time("", value)
    except Rejection:
        return False
    return at is not None and at.year >= 1990


def is_name(value: object) -> bool:
    """True for a short string that can name an event."""
    try:
        name = parse_name("", value)
    except Rejection:
        return False
    return len(name) <= 80 and not is_number(name) and not is_time(name)


def is_number(value: object) -> bool:
    """True for a number of 0 or more, also as text."""
    try:
        return not isinstance(value, bool) and isinstance(value, str | int | float) and float(value) >= 0
    except ValueError:
        return False


def is_text(value: object) -> bool:
    """True for a string with a letter that is not a time."""
    return isinstance(value, str) and any(character.isalpha() for character in value) and not is_time(value)


def _is_id(value: object) -> bool:
    is_short = isinstance(value, str) and 0 < len(value.strip()) <= 200
    return is_short or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_prompt(value: object) -> bool:
    return is_text(value) or (not isinstance(value, str) and bool(read_messages(value, USER)))


def _is_answer(value: object) -> bool:
    return is_text(value) or (not isinstance(value, str) and bool(find_answers(read_messages(value, ASSISTANT))))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100


def _is_flag(value: object) -> bool:
    return isinstance(value, bool | str | int)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "event_name": is_name,
    **dict.fromkeys(("event_at", "answered_at", "message_at"), is_time),
    **dict.fromkeys(("latency_ms", "latency_seconds", "input_tokens", "output_tokens", "cost_usd"), is_number),
    **dict.fromkeys(("session_id", "user_id", "event_id"), _is_id),
    **dict.fromkeys(("author", "model", "finish_reason"), _is_word),
    "prompt": _is_prompt,
    "generation": _is_answer,
    "text": is_text,
    "is_error": _is_flag,
}


def _collect(found: dict[str, list[Any]], path: str, value: object, levels: int) -> None:
    if value is None or value == "" or not path or len(path) > _PATH_LIMIT:
        return
    found.setdefault(path, []).append(value)
    if not levels:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _collect(found, f"{path}.{key}", inner, levels - 1)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        _collect(found, f"{path}.0", value[0], levels - 1)


@functools.lru_cache(8192)
def _rank(role: str, path: str) -> int | None:
    """Place of the name of a path among the names of a role, or None."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path).lower()
    keys = [re.sub(r"\W+", "_", key).strip("_") for key in name.split(".")]
    if (role == "event_id" and len(keys) > 1) or (role not in _IN_ARRAYS and is_in_array(path)):
        return None
    endings = (keys[-1], ".".join(keys[-2:]))
    return next(
        (place for place, names in enumerate(_NAMES[role]) if any(re.fullmatch(names, ending) for ending in endings)),
        None,
    )
