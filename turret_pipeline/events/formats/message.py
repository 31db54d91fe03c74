"""A message of a conversation with a language model: who wrote it, and what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turret_pipeline.events.formats.content import Content, read_content
from turret_pipeline.events.formats.row_values import Paths, first_value, from_json, lookup

USER, ASSISTANT, SYSTEM, TOOL, OTHER = "user", "assistant", "system", "tool", "other"
ROLES = {
    **dict.fromkeys("user human prompter customer client visitor end-user end_user lead contact".split(), USER),
    **dict.fromkeys(
        "assistant gpt ai model bot agent chatgpt bing bard claude gemini copilot llm chatbot admin".split(), ASSISTANT
    ),
    **dict.fromkeys(("system", "developer", "reasoning"), SYSTEM),
    **dict.fromkeys("tool function observation ipython function_call_output tool_result".split(), TOOL),
    "function_call": ASSISTANT,
}
"""Roles by the names that chats use. ``function_call`` is a call that is a message of its own."""

_AUTHOR_KEYS = ("role", "message.role", "from", "author", "sender", "speaker")
_CONTENT_KEYS = ("parts", "contents", "content", "message.content", "message.contents", "value", "text")
_CALLS_KEYS = ("tool_calls", "toolCalls", "toolInvocations", "message.tool_calls", "additional_kwargs.tool_calls")
_IS_USER_KEYS = ("isCreatedByUser", "is_user", "is_from_user")
_ITEM_TYPES = frozenset(("function_call", "function_call_output", "reasoning", "system"))
"""Types of messages without a content."""

_PYDANTIC_AI_KINDS = {"request": USER, "response": ASSISTANT}


@dataclass(frozen=True)
class Message:
    """A message and the object that it was read from, which is empty for a plain text."""

    role: str
    content: Content
    source: Mapping[str, Any] = field(default_factory=dict)
    given_role: str | None = None
    """Name of the role in the source."""


def read_message(source: Mapping[str, Any], author: Paths = ()) -> Message | None:
    """The message in an object, or None if nothing in it says who wrote it.

    ``author`` are the paths to its author, if they are not the usual ones.
    """
    if isinstance(kwargs := source.get("kwargs"), Mapping) and "lc" in source:  # a constructor of LangChain
        source = {"type": _class_name(source), **kwargs}
    elif isinstance(data := source.get("data"), Mapping) and isinstance(source.get("type"), str):  # messages_to_dict
        source = {"type": source["type"], **data}
    given = _text_at(source, author) if author else _find_author(source)
    if given is None:
        return None
    role = ROLES.get(given.lower(), OTHER)
    return Message(role, _read_content(source, role, given), source, given)


def _find_author(source: Mapping[str, Any]) -> str | None:
    for key in _IS_USER_KEYS:
        if isinstance(source.get(key), bool):
            return USER if source[key] else ASSISTANT
    for key in _AUTHOR_KEYS:
        author = source.get(key)
        if isinstance(author, Mapping):
            author = next((author[key] for key in ("role", "type") if isinstance(author.get(key), str)), None)
        if isinstance(author, str) and author:
            return author
    if isinstance(source.get("parts"), list) and isinstance(source.get("kind"), str):
        return _PYDANTIC_AI_KINDS.get(source["kind"])
    kind = source.get("type")
    if not isinstance(kind, str) or (role := _message_type(kind)) not in ROLES:
        return None
    return role if "content" in source or kind in _ITEM_TYPES else None


def _class_name(source: Mapping[str, Any]) -> object:
    path = source.get("id")
    return path[-1] if isinstance(path, list) and path else None


def _message_type(kind: str) -> str:
    """The role in the name of a message's class: "ai" for AIMessageChunk."""
    return kind.removesuffix("Chunk").removesuffix("Message").lower()


def _read_content(source: Mapping[str, Any], role: str, given: str) -> Content:
    """Content of a message. Of the answer of a tool, only whether it failed: no person and no model wrote its text."""
    if role == TOOL:
        parts = read_content(source.get("content") if isinstance(source.get("content"), list) else None)
        content = Content(results=parts.results)  # one message may hold the results of several calls
        if not content.results:
            content.add_result(source)
        return content
    if given == "function_call":
        content = Content(is_answer=True)
        called = from_json(source.get("value"))  # ShareGPT
        content.add_call(called if isinstance(called, Mapping) else source)
        return content
    value = next((value for path in _CONTENT_KEYS if (value := lookup(source, path))), None)
    content = read_content([*_attached_files(source), value], is_answer=role == ASSISTANT)
    if role == ASSISTANT and not content.calls:
        for call in _called_tools(source):
            content.add_call(call)
    if content.text is None and isinstance(refusal := source.get("refusal"), str):
        content.add(refusal)
    return content


def _attached_files(source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Files that version 4 of the Vercel AI SDK has beside the content, as parts."""
    files = source.get("experimental_attachments")
    found = [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []
    return [{"type": "file", "mediaType": file.get("contentType")} for file in found]


def _called_tools(source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    calls = first_value(source, _CALLS_KEYS)[1]
    found = calls if isinstance(calls, list) else [source.get("function_call")]
    return [call for call in found if isinstance(call, Mapping)]


def _text_at(source: Mapping[str, Any], paths: Paths) -> str | None:
    value = first_value(source, paths)[1]
    return value if isinstance(value, str) else None
