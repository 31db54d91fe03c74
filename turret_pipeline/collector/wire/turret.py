"""Turret's POST /track: one event, whose time is the server's."""

import random
import uuid
from typing import Any

from turret_pipeline.collector.wire.validation import Bounds, as_object, metadata, name, optional_identifier, required

# seeded by the system, then free of system calls, each of which would let other threads in; ids are no secrets
_RANDOM = random.Random()
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
        "event_id": f"evt_{_RANDOM.getrandbits(128):032x}",
        "name": event_name,
        "session_id": session_id or _new_id(),
        "user_id": user_id or _new_id(),
        "timestamp": received_at,
        "received_at": received_at,
        "metadata": own,
    }


def _new_id() -> str:
    return str(uuid.UUID(int=_RANDOM.getrandbits(128), version=4))
