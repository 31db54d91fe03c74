"""Text of prompts and answers, in the shapes in which APIs of language models transfer it.

A shape is a string, parts of a message, a message, an array of messages or choices, or an object that holds one of
these. The search is limited to a few levels, so that no row can keep the program busy.
"""

from collections.abc import Mapping
from typing import Any

from turret_pipeline.events.formats.row_values import from_json

USER, ASSISTANT, SYSTEM, TOOL = "user", "assistant", "system", "tool"
ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), USER),
    **dict.fromkeys(("assistant", "gpt", "ai", "model", "bot", "chatgpt", "bing", "bard", "claude"), ASSISTANT),
    **dict.fromkeys(("system", "developer", "reasoning"), SYSTEM),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "function_call", "function_call_output"), TOOL),
}
"""Roles by the names that chats use. ``function_call`` is a tool call that is a message of its own."""

_TEXT_KEYS = {
    USER: ("messages", "prompt", "input", "question", "query", "content", "text", "message"),
    ASSISTANT: (
        *("choices", "messages", "output", "generation", "completion", "answer", "response"),
        *("content", "text", "message"),
    ),
}
"""Keys of an object that may hold its text, by role."""
_LEVELS = 5


def find_last_text(value: object, role: str) -> str | None:
    """Last text of an input (role ``user``) or output (``assistant``), or None.

    The messages of an input repeat the conversation so far, so an input has a new text only if its last message is the
    user's.
    """
    for _ in range(_LEVELS):
        value = from_json(value)
        if isinstance(value, list | tuple):
            messages = [item for item in value if isinstance(item, Mapping) and _is_message(item)]
            if not messages:
                return content_text(value)
            turns = [item for item in messages if message_role(item) != SYSTEM]
            value = turns[-1] if turns else None
        elif isinstance(value, Mapping):
            if (found := message_role(value)) is not None:
                return content_text(message_content(value)) if found == role else None
            value = next((value[key] for key in _TEXT_KEYS[role] if value.get(key) is not None), None)
        else:
            return content_text(value)
    return None


def message_role(message: Mapping[str, Any]) -> str | None:
    """Role of a message: one of the four, ``other`` for an unknown name, or None if this is not a message."""
    author = message.get("author")
    given = message.get("role", message.get("from", author.get("role") if isinstance(author, Mapping) else None))
    if isinstance(given, str):
        return ROLES.get(given.lower(), "other")
    kind = message.get("type")
    role = ROLES.get(kind) if isinstance(kind, str) else None
    return role if role in {SYSTEM, TOOL} or "content" in message else None


def message_content(message: Mapping[str, Any]) -> object:
    """Content of a message, under any of the keys that chats use."""
    return next((message[key] for key in ("content", "value", "parts", "text") if message.get(key) is not None), None)


def content_text(content: object) -> str | None:
    """Text of a message's content, which may be a string, an array of parts, or an object with either."""
    if isinstance(content, Mapping):
        content = next((content[key] for key in ("parts", "text", "content") if content.get(key) is not None), None)
    if isinstance(content, list | tuple):
        texts = [text for part in content if (text := _part_text(part))]
        return "\n".join(texts) or None
    return content if isinstance(content, str) and content.strip() else None


def _part_text(part: object) -> str | None:
    if isinstance(part, Mapping):
        part = part.get("text")
    if isinstance(part, Mapping):
        part = part.get("value")
    return part if isinstance(part, str) else None


def _is_message(item: Mapping[str, Any]) -> bool:
    return message_role(item) is not None or isinstance(item.get("message"), Mapping)
