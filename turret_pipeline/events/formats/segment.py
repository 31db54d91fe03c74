"""Format of Segment's calls, from its libraries or its storage destinations."""

from turret_pipeline.events.formats.format import Columns, Format, Identity, Part, Shape

CALLS = frozenset({"track", "identify", "page", "screen", "group", "alias"})

SEGMENT = Format(
    name="segment",
    title="Segment call",
    shape=Shape(
        "`type` (`track` or another call of the spec), and `messageId`, `anonymousId` or `userId`",
        one_of={"type": CALLS},
        required=(("messageId", "anonymousId", "userId"),),
        forbidden=("event_id", "event_name", "session_id", "user_id", "metadata"),
    ),
    only_if={"type": frozenset({"track"})},
    columns=Columns(
        event_id=("messageId",),
        event_name=("event",),
        session_id=("context.sessionId", "context.session_id", "properties.session_id", "properties.sessionId"),
        user_id=("userId", "anonymousId"),
        event_at=("timestamp", "originalTimestamp", "sentAt"),
        received_at=("receivedAt",),
    ),
    identities=(
        Identity("Segment call", user=("userId",), anonymous=("anonymousId",)),
        Identity("Segment alias", user=("userId",), aliases=("previousId",), only_if={"type": frozenset({"alias"})}),
    ),
    parts=(Part("properties"), Part("context", under="context")),
    json_columns=("properties", "context"),
    drop=(
        "type",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "integrations",
        "version",
        "projectId",
        "writeKey",
        "_metadata",
    ),
    becomes="one event; calls other than `track` are rejected (`not_an_event`), but connect the ids of a person",
    example={
        "type": "track",
        "messageId": "m-1",
        "event": "Article Shared",
        "userId": "u-1",
        "anonymousId": "a-1",
        "timestamp": "2026-03-02T09:15:00.000Z",
        "receivedAt": "2026-03-02T09:15:01.000Z",
        "properties": {"channel": "email", "plan": "team"},
        "context": {"sessionId": "s-1", "locale": "en-GB"},
    },
)
