"""Format of Turret's own events, including an export of the published table ``events``."""

from turret_pipeline.events.formats.format import Columns, Format, Part, Shape

TURRET = Format(
    name="turret",
    title="Turret event",
    shape=Shape("`name` or `event_name`", required=(("name", "event_name"),)),
    columns=Columns(
        event_id=("event_id",),
        event_name=("event_name", "name"),
        session_id=("session_id",),
        user_id=("user_id",),
        event_at=("event_at", "timestamp"),
        received_at=("received_at",),
    ),
    parts=(Part("metadata", keeps_nulls=True),),
    json_columns=("metadata",),
    drop=(
        *("event_id", "session_id", "user_id", "received_at"),
        *("source_format", "source_file", "line_number", "item_number", "is_session_derived"),  # an export of our own
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
