"""Format of Turret's own events, including an export of the published table ``events``."""

from turret_pipeline.events.formats.format import Columns, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Row
from turret_pipeline.events.formats.times import KNOWN_TIMES

_TIMES = ("event_at", "timestamp", "received_at")
_OWN_KEYS = (*_TIMES, "metadata", "session_id", "user_id", "event_id")
_TRACING_KEYS = ("trace_id", "traceId", "span_id", "spanId", "span_kind", "parentSpanId", "parent_span_id", "run_type")


def _is_turret_event(row: Row) -> bool:
    """True if a row with a name has what Turret's events have, and not what spans and other products' events have."""
    if not any(key in row for key in _OWN_KEYS):
        return row.keys() <= {"name", "event_name"}
    if "metadata" not in row and any(key in row for key in _TRACING_KEYS):
        return False
    return any(key in row for key in _TIMES) or not any(key in row for key in KNOWN_TIMES)


TURRET = Format(
    name="turret",
    title="Turret event",
    shape=Shape(
        "`name` or `event_name`, and `timestamp` or another key of Turret's; but no time under another name, and no "
        "trace or span without `metadata`",
        required=(("name", "event_name"),),
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
