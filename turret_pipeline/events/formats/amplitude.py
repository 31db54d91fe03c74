"""Format of Amplitude's events: of its Export API, of its exports to storage, and as sent to its HTTP V2 API.

It follows "Export API" and "HTTP V2 API" of Amplitude's documentation.
"""

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Columns, Format, Identity, Part, Shape
from turret_pipeline.events.formats.row_values import Row, first_value, join_session_id

_UPDATES = ("$identify", "$groupidentify")
_NO_SESSION = (-1, "-1", "-1.0")


def _name_session(row: Row) -> Row:
    """The row with the session of its device: the ids of sessions are times. -1 is none. Raises Rejection."""
    kind = row.get("event_type")
    if kind in _UPDATES:
        raise Rejection("not_an_event", f"event_type is {kind}: it sets properties of a user or group.")
    session = row.get("session_id")
    owner = first_value(row, ("device_id", "user_id", "amplitude_id"))[1]
    return {**row, "session_id": None if session in _NO_SESSION else join_session_id(owner, session)}


AMPLITUDE = Format(
    name="amplitude",
    title="Amplitude event",
    shape=Shape(
        "`event_type`, an id of a user or device, and `event_properties` or another key of Amplitude's",
        required=(
            ("event_type",),
            ("device_id", "user_id", "amplitude_id"),
            ("event_properties", "user_properties", "amplitude_id", "$insert_id", "insert_id", "server_upload_time"),
        ),
        forbidden=("name", "event_name", "event", "metadata"),
    ),
    columns=Columns(
        event_id=("uuid", "$insert_id", "insert_id", "_insert_id"),
        event_name=("event_type",),
        session_id=("session_id",),
        user_id=("user_id", "device_id", "amplitude_id"),
        event_at=("event_time", "time", "client_event_time"),
        received_at=("server_received_time", "server_upload_time"),
    ),
    identities=(Identity("Amplitude event", user=("user_id",), devices=("device_id",)),),
    parts=(Part("event_properties"), Part("user_properties", under="user_properties")),
    json_columns=("event_properties", "user_properties", "groups", "group_properties", "data", "plan"),
    drop=(
        *("$insert_id", "insert_id", "_insert_id", "$insert_key", "$schema", "schema", "data", "app", "event_id"),
        *("amplitude_event_type", "amplitude_attribution_ids", "is_attribution_event", "sample_rate", "project_id"),
        *("client_event_time", "client_upload_time", "processed_time", "server_received_time", "server_upload_time"),
        *("data_type", "event_type_id", "user_creation_time", "library", "source_id", "partner_id"),
    ),
    normalize=_name_session,
    is_utc=True,
    becomes="one event; its session is `<device_id>.<session_id>`, and `$identify` is rejected (`not_an_event`)",
    example={
        "uuid": "7a2c-1",
        "event_type": "prompt_sent",
        "event_time": "2026-03-02 09:15:00.000000",
        "server_upload_time": "2026-03-02 09:15:01.000000",
        "user_id": "u-0001",
        "device_id": "d-0001",
        "session_id": 1772442000000,
        "event_properties": {"prompt": "How do I reset my password?"},
        "user_properties": {"plan": "team"},
        "platform": "Web",
    },
)
