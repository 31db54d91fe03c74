"""Turret's POST /track: one event, with the server's time."""

import random
import uuid
from typing import Any

from turret_pipeline.collector.wire.validation import (
    MetadataLimits,
    required_value,
    validate_metadata,
    validate_name,
    validate_object,
    validate_optional_id,
    validate_time,
)

# Seeded by the system once. Asking the system for each id would release the interpreter lock each time.
# Ids are not secrets.
_RANDOM = random.Random()
_FIELDS = {"name", "metadata", "session_id", "user_id"}


def parse_track_event(
    body: object, limits: MetadataLimits, received_at: str, *, has_timestamp: bool = False
) -> dict[str, Any]:
    """Landing record of a body of /track, with new ids for those that it lacks; ``assumed_ids`` names these.

    The time is that of the receipt, or with ``has_timestamp`` the field ``timestamp`` if it is given. Raises
    ValidationError if the body is invalid.
    """
    item = validate_object(body, "The body")
    event_name = validate_name(required_value(item, "name"), "name")
    metadata = validate_metadata(validate_object(required_value(item, "metadata"), "metadata"), "metadata", limits)
    session_id = validate_optional_id(item.get("session_id"), "session_id")
    user_id = validate_optional_id(item.get("user_id"), "user_id")
    given = item.get("timestamp") if has_timestamp else None
    fields = {*_FIELDS, "timestamp"} if has_timestamp else _FIELDS
    if item.keys() - fields:  # no documented client sends other fields, but they are kept
        others = {key: value for key, value in item.items() if key not in fields}
        metadata = validate_metadata(others, "The body", limits) | metadata
    assumed = [name for name, value in (("session_id", session_id), ("user_id", user_id)) if value is None]
    return {
        "event_id": f"evt_{_RANDOM.getrandbits(128):032x}",
        "name": event_name,
        "session_id": session_id or _new_id(),
        "user_id": user_id or _new_id(),
        "timestamp": received_at if given is None else validate_time(given, "timestamp"),
        "received_at": received_at,
        **({"assumed_ids": assumed} if assumed else {}),
        "metadata": metadata,
    }


def _new_id() -> str:
    return str(uuid.UUID(int=_RANDOM.getrandbits(128), version=4))
