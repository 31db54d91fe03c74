"""Format of messages of chats that applications store one a row, as the Vercel AI SDK and OpenAI's threads have them.

It follows the tables ``Message`` and ``Message_v2`` of Vercel's AI chatbot, "UIMessage" and "ModelMessage" in the
reference of the AI SDK, and "The message object" in that of OpenAI's Assistants. A chat with all its messages in one
row has the format ``openai_chat``.
"""

from turret_pipeline.events.formats.format import Columns, Format, Shape
from turret_pipeline.events.formats.message import ASSISTANT, ROLES
from turret_pipeline.events.formats.normalization import NORMALIZED_CHAT, load_content, name_files, pick, require_event
from turret_pipeline.events.formats.row_values import Row, first_value, in_both_cases

_CHATS = in_both_cases("chat_id", "thread_id", "conversation_id", "session_id")
_TIMES = in_both_cases("created_at", "timestamp", "sent_at", "created")
_USERS = in_both_cases("user_id", "metadata.user_id")
_INPUT_TOKENS = ("input_tokens", "prompt_tokens", "inputTokens", "promptTokens")
_OUTPUT_TOKENS = ("output_tokens", "completion_tokens", "outputTokens", "completionTokens")


def _paths_to(*names: str) -> tuple[str, ...]:
    """Paths to values of these names in a row, its usage or its metadata."""
    return tuple(prefix + name for prefix in ("", "usage.", "metadata.", "metadata.usage.") for name in names)


def _normalize(row: Row) -> Row:
    message = {
        "id": row.get("id"),
        "role": row.get("role"),
        "created_at": first_value(row, _TIMES)[1],
        "content": [
            *name_files(row.get("attachments"), row.get("experimental_attachments")),
            load_content(row.get("parts") or row.get("content")),
        ],
        "tool_calls": row.get("toolInvocations") or row.get("tool_calls"),
    }
    facts = pick(
        row,
        model=_paths_to("model", "model_id", "modelId"),
        input_tokens=_paths_to(*_INPUT_TOKENS),
        output_tokens=_paths_to(*_OUTPUT_TOKENS),
        finish_reason=_paths_to("finish_reason", "finishReason"),
    )
    return {**row, "messages": [require_event({**message, **(facts if ROLES.get(row["role"]) == ASSISTANT else {})})]}


CHAT_MESSAGE = Format(
    name="chat_message",
    title="message of a chat",
    shape=Shape(
        "`role` (user, assistant ...), `parts` or `content`, and `chat_id`, `thread_id`, `conversation_id` or "
        "`session_id`",
        required=(_CHATS, ("role",), ("parts", "content")),
        one_of={"role": frozenset(ROLES)},
        forbidden=("messages", "name", "event_name", "event"),
    ),
    columns=Columns(session_id=_CHATS, user_id=_USERS, event_at=_TIMES),
    becomes="one event, and one for each call of a tool in it",
    conversation=NORMALIZED_CHAT,
    keeps_rest=False,
    json_columns=("parts", "attachments", "metadata", "usage", "toolInvocations", "tool_calls"),
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
