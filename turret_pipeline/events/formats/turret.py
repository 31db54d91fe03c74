"""Format of Turret's own events, including an export of the published table ``events``."""

from collections.abc import Mapping

from turret_pipeline.events.formats.format import Columns, Format, Part, Shape
from turret_pipeline.events.formats.guesses import find_paths
from turret_pipeline.events.formats.row_values import Row
from turret_pipeline.events.formats.times import KNOWN_TIMES

_NAMES = ("name", "event_name")
_TIMES = ("event_at", "timestamp", "received_at")
_OWN_KEYS = ("event_name", "event_at", "event_id", "user_id")
"""Keys of which rows of other kinds have one at most: people have a name and a ``user_id``, too."""

_TRACING_KEYS = ("trace_id", "traceId", "span_id", "spanId", "span_kind", "parentSpanId", "parent_span_id", "run_type")
REQUIREMENT = (
    "`metadata`, `session_id`, two of `event_name`, `event_at`, `event_id` and `user_id`, or no keys but Turret's"
)
"""The needs of a row with a name in order to be a Turret event, in words."""


def has_event_keys(row: Row) -> bool:
    """True if a row with a name has what Turret's events have, so that it is no metric, person or span."""
    if "metadata" in row or row.keys() <= {*_NAMES, *_TIMES, *_OWN_KEYS}:
        return True
    is_event = "session_id" in row or sum(key in row for key in _OWN_KEYS) > 1
    return is_event and not any(key in row for key in _TRACING_KEYS)


def _is_turret_event(row: Row) -> bool:
    """True if a row with a name has what Turret's events have, and no time under another name only."""
    return has_event_keys(row) and (any(key in row for key in _TIMES) or not any(map(_is_other_time, row.items())))


def _is_other_time(item: tuple[str, object]) -> bool:
    """True for a key that has the name of a time, and for one with a similar name whose value is a time."""
    key, value = item
    return key in KNOWN_TIMES or (
        not isinstance(value, Mapping | list) and bool(find_paths("event_at", {key: [value]}, 1))
    )


TURRET = Format(
    name="turret",
    title="Turret event",
    shape=Shape(
        f"`name` or `event_name`; and {REQUIREMENT}; no trace or span without `metadata`, and no time under "
        "another name only",
        required=(_NAMES,),
        test=_is_turret_event,
    ),
    columns=Columns(
        event_id=("event_id",),
        event_name=("event_name", "name"),
        session_id=("session_id",),
        user_id=("user_id",),
        event_at=("event_at", "timestamp"),
        received_at=("received_at",),
        assumed_ids=("assumed_ids",),
    ),
    parts=(Part("metadata", keeps_nulls=True),),
    json_columns=("metadata",),
    drop=(
        *("event_id", "session_id", "user_id", "received_at"),
        *(
            "source_format",
            "source_file",
            "line_number",
            "item_number",
            "nanosecond",
            "is_session_derived",
        ),  # an export of our own
    ),
    example={
        "event_id": "e-1",
        "name": "prompt_sent",
        "timestamp": "2026-03-02T09:15:00Z",
        "session_id": "s-1",
        "user_id": "u-1",
        "metadata": {"prompt": "How do I reset my password?", "plan": "team"},
    },
)
