"""Formats of RudderStack's calls, and of the rows that Segment and RudderStack load into warehouses.

They follow "Common fields" and "Warehouse Schema" of RudderStack's documentation, and "Warehouse Schemas" of Segment's.
"""

import dataclasses

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Columns, Format, Identity, Shape
from turret_pipeline.events.formats.row_values import Row, first_value, join_session_id
from turret_pipeline.events.formats.segment import SEGMENT

_CHANNELS = frozenset({"web", "mobile", "sources"})


def _is_rudderstack_call(row: Row) -> bool:
    """True for what only RudderStack writes. Segment's channels are "client" and "server"."""
    context = row.get("context")
    library = context.get("library") if isinstance(context, dict) else None
    name = library.get("name") if isinstance(library, dict) else None
    channel = row.get("channel")
    return (
        "rudderId" in row
        or "request_ip" in row
        or (isinstance(channel, str) and channel in _CHANNELS)
        or (isinstance(name, str) and "rudder" in name.lower())
    )


def _name_session(row: Row) -> Row:
    """The row without empty texts, with the session of its anonymous user: RudderStack's ids of sessions are times."""
    row = {key: value for key, value in row.items() if value != ""}
    paths = ("context.sessionId", "context.session_id", "context_session_id", "session_id")
    session = first_value(row, paths)[1]
    user = first_value(row, ("anonymousId", "anonymous_id", "userId", "user_id"))[1]
    is_time = isinstance(session, int | float) or (isinstance(session, str) and session.isdecimal())
    return {**row, "session_key": join_session_id(user, session)} if is_time else row


RUDDERSTACK = dataclasses.replace(
    SEGMENT,
    name="rudderstack",
    title="RudderStack call",
    shape=dataclasses.replace(
        SEGMENT.shape,
        description="the shape of a Segment call, and `rudderId`, `request_ip`, or RudderStack's `channel` or library",
        test=_is_rudderstack_call,
    ),
    columns=dataclasses.replace(SEGMENT.columns, session_id=("session_key", *SEGMENT.columns.session_id)),
    json_columns=(*SEGMENT.json_columns, "traits"),
    drop=(
        *(*SEGMENT.drop, "receivedAt", "rudderId", "request_ip", "sourceId", "destinationId"),
        *("context.sessionId", "context.sessionStart"),
    ),
    normalize=_name_session,
    example={
        "type": "track",
        "messageId": "rudder-1",
        "event": "Article Shared",
        "userId": "u-1",
        "anonymousId": "a-1",
        "rudderId": "r-1",
        "channel": "web",
        "originalTimestamp": "2026-03-02T09:15:00.000Z",
        "sentAt": "2026-03-02T09:15:00.500Z",
        "receivedAt": "2026-03-02T09:15:01.000Z",
        "properties": {"article": "PIN"},
        "context": {"sessionId": 1772442000, "library": {"name": "RudderLabs JavaScript SDK"}},
    },
)


def _check_call(row: Row) -> Row:
    """The row with its session. Raises Rejection for a row of another table than that of an event."""
    if not first_value(row, ("event_text", "event"))[1]:
        raise Rejection("not_an_event", "The row has no event: only rows of track calls are events.")
    return _name_session(row)


SEGMENT_WAREHOUSE = Format(
    name="segment_warehouse",
    title="row of a Segment or RudderStack warehouse",
    shape=Shape(
        "`id`, `anonymous_id` or `user_id`, `received_at`, and `original_timestamp`, `uuid_ts` or `event_text`",
        required=(
            *(("id",), ("anonymous_id", "user_id"), ("received_at",)),
            ("original_timestamp", "uuid_ts", "event_text"),
        ),
        forbidden=("event_id", "event_name", "metadata", "type"),
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("event_text", "event"),
        session_id=("session_key", "context_session_id", "session_id"),
        user_id=("user_id", "anonymous_id"),
        event_at=("timestamp", "original_timestamp", "sent_at"),
        received_at=("received_at",),
    ),
    identities=(Identity("warehouse row", user=("user_id",), anonymous=("anonymous_id",)),),
    drop=(
        *("event", "timestamp", "original_timestamp", "sent_at", "uuid_ts", "uuid", "loaded_at", "rudder_id"),
        *("context_session_id", "context_session_start"),
    ),
    normalize=_check_call,
    is_utc=True,
    becomes="one event; rows of the tables of other calls than `track` are rejected (`not_an_event`)",
    example={
        "id": "warehouse-1",
        "event": "article_shared",
        "event_text": "Article Shared",
        "user_id": "u-1",
        "anonymous_id": "a-1",
        "original_timestamp": "2026-03-02T09:14:59.500Z",
        "sent_at": "2026-03-02T09:14:59.700Z",
        "received_at": "2026-03-02T09:15:01.000Z",
        "timestamp": "2026-03-02T09:15:00.000Z",
        "context_page_path": "/help",
        "context_session_id": 1772442000,
        "article": "PIN",
    },
)
