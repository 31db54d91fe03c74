"""Formats of chat transcripts: messages of OpenAI's API, and conversations that ShareGPT exported.

System messages are instructions rather than events, so they are left out. Calls of tools become events without the
text that the tools return.
"""

import dataclasses

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Conversation, Format, Part, Shape
from turret_pipeline.events.formats.row_values import in_both_cases

_COLUMNS = Columns(
    session_id=in_both_cases(
        *("conversation_id", "session_id", "thread_id", "chat_id", "metadata.conversation_id", "metadata.session_id"),
        *("metadata.thread_id", "id"),
    ),
    user_id=in_both_cases("user_id", "user.id", "user", "metadata.user_id", "end_user"),
    event_at=in_both_cases("timestamp", "created_at", "create_time", "created", "date", "metadata.timestamp"),
)
_CHAT = Conversation(("messages",), prompt_fields=prompt_fields(""), generation_fields=answer_fields(""))
_DROP = ("object", "tools", "functions", "tool_choice", "parallel_tool_calls", "response_format")

OPENAI_CHAT = Format(
    name="openai_chat",
    title="OpenAI chat",
    shape=Shape("`messages`, an array", arrays=("messages",), forbidden=EVENT_KEYS),
    columns=_COLUMNS,
    becomes="a session with an event for each message",
    conversation=_CHAT,
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=("messages", "metadata"),
    drop=_DROP,
    example={
        "id": "chat-1",
        "user": "u-1",
        "created": 1772442900,
        "messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "How do I reset my password?"},
            {"role": "assistant", "content": "Open Settings and choose Reset."},
        ],
        "metadata": {"plan": "team"},
    },
)

SHAREGPT = Format(
    name="sharegpt",
    title="ShareGPT conversation",
    shape=Shape(
        "`conversations` or `conversation`, an array",
        arrays=("conversations", "conversation"),
        forbidden=EVENT_KEYS,
    ),
    columns=_COLUMNS,
    becomes="a session with an event for each message",
    conversation=dataclasses.replace(_CHAT, messages=("conversations", "conversation")),
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=("conversations", "conversation", "metadata"),
    drop=(*_DROP, "system"),
    example={
        "id": "conversation-1",
        "created_at": "2026-03-02T09:15:00Z",
        "conversations": [
            {"from": "human", "value": "How do I reset my password?"},
            {"from": "gpt", "value": "Open Settings and choose Reset."},
        ],
    },
)
