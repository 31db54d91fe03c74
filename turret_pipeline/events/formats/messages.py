"""Messages in the inputs and outputs of calls of language models, in any shape in which APIs transfer them.

A shape is a string, a message, an array of messages, choices or generations, the parts of one message, the arguments of
a function, or an object that holds one of these, such as the body of a request. The search is limited to a few levels,
so that no row can keep the program busy.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats.content import read_content
from turret_pipeline.events.formats.message import ASSISTANT, SYSTEM, USER, Message, read_message
from turret_pipeline.events.formats.row_values import from_json

_LEVELS = 8
_ALTERNATIVES = frozenset(("choices", "candidates", "generations"))
"""Keys of answers of which only the first is shown to the user."""

_MESSAGE_KEYS = ("messages", "contents", "choices", "candidates", "generations", "message", "delta")
_TEXT_KEYS = {
    USER: (
        *("prompt", "input", "inputs", "inputText", "question", "query", "user_input", "user_message", "content"),
        *("text", "request", "body", "inputBodyJson", "data", "value"),
    ),
    ASSISTANT: (
        *("output", "outputs", "generation", "completion", "answer", "response", "results", "outputText"),
        *("output_text", "content", "text", "result", "reply", "body", "outputBodyJson", "data", "value"),
    ),
}
"""Keys of an object that may hold texts, by role. Keys that may hold messages come first."""


def read_messages(value: object, role: str) -> list[Message]:
    """Messages in a value, in order. Texts that name no author have this role: the user in inputs, else the model."""
    return list(_find_messages(value, role, _LEVELS))


def find_new_message(messages: Sequence[Message]) -> Message | None:
    """The message of a call's input that earlier calls did not have, or None.

    Inputs repeat the conversation so far, so it is the last one, if the user wrote it.
    """
    last = next((message for message in reversed(messages) if message.role != SYSTEM), None)
    return last if last is not None and last.role == USER else None


def find_answers(messages: Sequence[Message]) -> list[Message]:
    """Messages of a call's output that answer it: an output may repeat its input."""
    asked = max((place for place, message in enumerate(messages) if message.role == USER), default=-1)
    return [message for message in messages[asked + 1 :] if message.role == ASSISTANT]


def _find_messages(value: object, role: str, levels: int) -> Iterator[Message]:
    value = from_json(value)
    if levels == 0 or value is None:
        return
    if isinstance(value, list | tuple):
        yield from _find_in_array(value, role, levels)
    elif isinstance(value, Mapping):
        yield from _find_in_object(value, role, levels)
    elif isinstance(value, str):
        content = read_content(value, is_answer=role == ASSISTANT)
        if content.text is not None:
            yield Message(role, content)


def _find_in_array(values: Sequence[Any], role: str, levels: int) -> Iterator[Message]:
    """Messages of an array: messages, arrays of them, or else the parts of one message."""
    if values and all(isinstance(item, Mapping) and ("index" in item or "finish_reason" in item) for item in values):
        values = values[:1]
    if any(isinstance(item, list | tuple) or (isinstance(item, Mapping) and _has_message(item)) for item in values):
        for item in values:
            yield from _find_messages(item, role, levels - 1)
        return
    content = read_content(values, is_answer=role == ASSISTANT)
    if content.texts or content.calls or content.results:
        yield Message(role, content)


def _has_message(item: Mapping[str, Any]) -> bool:
    """True for a message, or for an object that holds one: a choice, a candidate or a generation."""
    return (
        read_message(item) is not None
        or any(isinstance(item.get(key), Mapping) for key in ("message", "delta", "content"))
        or "outputText" in item
    )


def _find_in_object(value: Mapping[str, Any], role: str, levels: int) -> Iterator[Message]:
    message = read_message(value)
    if message is not None:
        yield message
        return
    found = _find_in_known_keys(value, role, levels) or _find_in_part(value, role)
    yield from found or _find_in_arguments(value, role, levels)


def _find_in_known_keys(value: Mapping[str, Any], role: str, levels: int) -> list[Message]:
    for key in (*_MESSAGE_KEYS, *_TEXT_KEYS[role]):
        inner = from_json(value.get(key))
        if inner is None or inner == "":
            continue
        if key in _ALTERNATIVES and isinstance(inner, list | tuple):
            inner = inner[:1]
        if found := list(_find_messages(inner, role, levels - 1)):
            return found
    return []


def _find_in_part(value: Mapping[str, Any], role: str) -> list[Message]:
    content = read_content(value, is_answer=role == ASSISTANT)
    return [Message(role, content)] if content.texts or content.calls or content.results else []


def _find_in_arguments(value: Mapping[str, Any], role: str, levels: int) -> list[Message]:
    """The text among the arguments of a function, or the only value of an object.

    Of arguments with unknown names it is the one with the most words, because the others are ids and options.
    """
    args, kwargs = value.get("args"), value.get("kwargs")
    if args is None and kwargs is None:
        arguments = list(value.values()) if len(value) == 1 else []
    else:
        arguments = [*(args if isinstance(args, list | tuple) else ())]
        if isinstance(kwargs, Mapping):
            if found := _find_in_known_keys(kwargs, role, levels):
                return found
            arguments += kwargs.values()
    return max((list(_find_messages(argument, role, levels - 1)) for argument in arguments), key=_rank, default=[])


def _rank(found: list[Message]) -> tuple[bool, int]:
    """Order of texts among the arguments of a function: messages with an author first, then by their words."""
    words = sum(len(text.split()) for message in found for text in message.content.texts)
    return any(message.source for message in found), words
