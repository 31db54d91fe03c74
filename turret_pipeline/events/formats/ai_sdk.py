"""Format of messages that applications of the Vercel AI SDK store, one a row.

It follows the tables ``Message`` and ``Message_v2`` of Vercel's AI chatbot, and "UIMessage" and "ModelMessage" in the
reference of the SDK. A chat with all its messages in one row has the format ``openai_chat``.
"""

from turret_pipeline.events.formats.format import Columns, Format, Shape
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.normalization import NORMALIZED_CHAT, name_files, pick, require_event
from turret_pipeline.events.formats.row_values import Row, first_value, in_both_cases

_CHATS = in_both_cases("chat_id", "thread_id")
_TIMES = in_both_cases("created_at")
_USERS = in_both_cases("user_id")


def _normalize(row: Row) -> Row:
    message = {
        "id": row.get("id"),
        "role": row.get("role"),
        "created_at": first_value(row, _TIMES)[1],
        "content": [
            *name_files(row.get("attachments"), row.get("experimental_attachments")),
            row.get("parts") or row.get("content"),
        ],
        "tool_calls": row.get("toolInvocations"),
    }
    facts = pick(
        row,
        model=("model", "metadata.model"),
        input_tokens=("metadata.usage.inputTokens", "usage.inputTokens", "usage.promptTokens"),
        output_tokens=("metadata.usage.outputTokens", "usage.outputTokens", "usage.completionTokens"),
        finish_reason=("metadata.finishReason", "finishReason"),
    )
    return {**row, "messages": [require_event({**message, **(facts if row.get("role") == ASSISTANT else {})})]}


AI_SDK_MESSAGE = Format(
    name="ai_sdk_message",
    title="message of a chat of the Vercel AI SDK",
    shape=Shape(
        "`chatId`, `role`, and `parts` or `content`, an array, or the JSON text of one",
        required=(_CHATS, ("role",)),
        arrays=("parts", "content"),
        one_of={"role": frozenset((USER, ASSISTANT, "system", "tool", "data"))},
        forbidden=("messages",),
    ),
    columns=Columns(session_id=_CHATS, user_id=_USERS, event_at=_TIMES),
    becomes="one event, and one for each call of a tool in it",
    conversation=NORMALIZED_CHAT,
    keeps_rest=False,
    json_columns=("parts", "content", "attachments", "metadata", "toolInvocations"),
    normalize=_normalize,
    example={
        "id": "m-1",
        "chatId": "c-1",
        "role": "user",
        "parts": [{"type": "text", "text": "How do I reset my password?"}],
        "attachments": [],
        "createdAt": "2026-03-02T09:15:00.000Z",
    },
)
