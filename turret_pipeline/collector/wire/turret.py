"""Turret's POST /track: one event, whose time is the server's."""

import uuid
from typing import Any

from turret_pipeline.collector.wire.checks import Bounds, as_object, metadata, name, optional_identifier, required

_FIELDS = {"name", "metadata", "session_id", "user_id"}


def track_record(body: object, bounds: Bounds, received_at: str) -> dict[str, Any]:
    """The landing record, complete with ids: those that were not given are made. Raises Invalid."""
    item = as_object(body, "The body")
    event_name = name(required(item, "name"), "name")
    own = metadata(as_object(required(item, "metadata"), "metadata"), "metadata", bounds)
    session_id = optional_identifier(item.get("session_id"), "session_id")
    user_id = optional_identifier(item.get("user_id"), "user_id")
    if item.keys() - _FIELDS:  # what no documented client sends is kept too
        own = metadata({key: value for key, value in item.items() if key not in _FIELDS}, "The body", bounds) | own
    return {
        "event_id": f"evt_{uuid.uuid4().hex}",
        "name": event_name,
        "session_id": session_id or str(uuid.uuid4()),
        "user_id": user_id or str(uuid.uuid4()),
        "timestamp": received_at,
        "received_at": received_at,
        "metadata": own,
    }
