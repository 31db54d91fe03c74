"""What somebody said, out of the shapes in which APIs of language models carry it.

A string; parts of a message; a message; an array of messages or choices; an object that holds one of these. Nothing is
looked for deeper than a few levels, so that no row can keep the program busy.
"""

from collections.abc import Mapping
from typing import Any

from turret_pipeline.events.formats.columns import from_json

USER, ASSISTANT, SYSTEM, TOOL = "user", "assistant", "system", "tool"
ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), USER),
    **dict.fromkeys(("assistant", "gpt", "ai", "model", "bot", "chatgpt", "bing", "bard", "claude"), ASSISTANT),
    **dict.fromkeys(("system", "developer", "reasoning"), SYSTEM),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "function_call", "function_call_output"), TOOL),
}
"""Who speaks, by the names that chats use; ``function_call`` is a call of a tool as a message of its own."""

_HOLDERS = {
    USER: ("messages", "prompt", "input", "question", "query", "content", "text", "message"),
    ASSISTANT: (
        *("choices", "messages", "output", "generation", "completion", "answer", "response"),
        *("content", "text", "message"),
    ),
}
_LEVELS = 5


def said(value: object, speaker: str) -> str | None:
    """The last text of an input (speaker ``user``) or output (``assistant``), or None.

    The messages of an input repeat the conversation so far; only if the last one is the user's was anything new said.
    """
    for _ in range(_LEVELS):
        value = from_json(value)
        if isinstance(value, list | tuple):
            messages = [item for item in value if isinstance(item, Mapping) and _is_message(item)]
            if not messages:
                return text_of(value)
            spoken = [item for item in messages if role_of(item) != SYSTEM]
            value = spoken[-1] if spoken else None
        elif isinstance(value, Mapping):
            if (role := role_of(value)) is not None:
                return text_of(content_of(value)) if role == speaker else None
            value = next((value[key] for key in _HOLDERS[speaker] if value.get(key) is not None), None)
        else:
            return text_of(value)
    return None


def role_of(message: Mapping[str, Any]) -> str | None:
    """Who speaks a message: one of the four, ``other`` for a name that is not known, None for no message."""
    author = message.get("author")
    given = message.get("role", message.get("from", author.get("role") if isinstance(author, Mapping) else None))
    if isinstance(given, str):
        return ROLES.get(given.lower(), "other")
    kind = message.get("type")
    role = ROLES.get(kind) if isinstance(kind, str) else None
    return role if role in {SYSTEM, TOOL} or "content" in message else None


def content_of(message: Mapping[str, Any]) -> object:
    """What a message holds, by the names that chats use."""
    return next((message[key] for key in ("content", "value", "parts", "text") if message.get(key) is not None), None)


def text_of(content: object) -> str | None:
    """The text of a message's content: a string, parts of which some are text, or an object with either."""
    if isinstance(content, Mapping):
        content = next((content[key] for key in ("parts", "text", "content") if content.get(key) is not None), None)
    if isinstance(content, list | tuple):
        texts = [text for part in content if (text := _text_of_part(part))]
        return "\n".join(texts) or None
    return content if isinstance(content, str) and content.strip() else None


def _text_of_part(part: object) -> str | None:
    if isinstance(part, Mapping):
        part = part.get("text")
    if isinstance(part, Mapping):
        part = part.get("value")
    return part if isinstance(part, str) else None


def _is_message(item: Mapping[str, Any]) -> bool:
    return role_of(item) is not None or isinstance(item.get("message"), Mapping)
