"""Formats of the events and LLM events that the SDKs of Trubrics send."""

from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Exchange, Format, Identity, Part, Shape

_SESSION = ("thread_id", "properties.$thread_id")
_ASSISTANT = ("assistant_id", "properties.$assistant_id")
_USER = ("user_id", "anonymous_id")
_IDENTITIES = (Identity("Segment destination", user=("user_id",), anonymous=("anonymous_id",)),)
"""The collector keeps the anonymous id of events from Segment's destination for Trubrics."""

_DROP = ("event_id", *_USER, "timestamp", "received_at", *_SESSION, "properties.$text", "properties.$assistant_id")

TRUBRICS_EVENT = Format(
    name="trubrics_event",
    title="Trubrics event",
    shape=Shape(
        "`event`, `user_id` and `timestamp`",
        required=(("event",), ("user_id",), ("timestamp",)),
        forbidden=("name", "event_name"),
    ),
    columns=Columns(
        event_id=("event_id",),
        event_name=("event",),
        session_id=_SESSION,
        user_id=_USER,
        event_at=("timestamp",),
        received_at=("received_at",),
    ),
    parts=(Part("properties"),),
    fields={"text": ("properties.$text",), "assistant_id": ("properties.$assistant_id",)},
    identities=_IDENTITIES,
    json_columns=("properties",),
    drop=_DROP,
    requires_user=True,
    example={
        "user_id": "u-1",
        "event": "feedback_given",
        "timestamp": "2026-03-02T09:15:00Z",
        "properties": {"$thread_id": "t-1", "$text": "Just what I needed", "rating": 5},
    },
)

TRUBRICS_LLM = Format(
    name="trubrics_llm",
    title="Trubrics LLM event",
    shape=Shape(
        "`prompt`, `generation` and `user_id`",
        required=(("prompt",), ("generation",), ("user_id",)),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("event_id",),
        session_id=_SESSION,
        user_id=_USER,
        event_at=("timestamp",),
        received_at=("received_at",),
    ),
    becomes="a prompt and a generation",
    exchange=Exchange(
        prompt=("prompt",),
        generation=("generation",),
        prompt_name_key="prompt_event_name",
        generation_name_key="generation_event_name",
        latency=("latency",),
        is_strict=True,
    ),
    parts=(Part("properties"),),
    fields={"assistant_id": _ASSISTANT},
    identities=_IDENTITIES,
    json_columns=("properties",),
    drop=_DROP,
    requires_user=True,
    example={
        "user_id": "u-1",
        "prompt": "How do I reset my password?",
        "generation": "Open Settings and choose Reset.",
        "assistant_id": "support",
        "timestamp": "2026-03-02T09:15:02Z",
        "latency": 2,
        "thread_id": "t-1",
        "properties": {"plan": "team"},
    },
)
