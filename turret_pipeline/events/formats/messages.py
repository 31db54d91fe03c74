"""Messages in the inputs and outputs of calls of language models, in any shape in which APIs transfer them.

A shape is a string, a message, an array of messages, choices or generations, the parts of one message, the arguments of
a function, or an object that holds one of these, such as the body of a request. The search is limited to a few levels,
so that no row can keep the program busy.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats.content import read_content
from turret_pipeline.events.formats.message import ASSISTANT, OTHER, ROLES, SYSTEM, USER, Message, read_message
from turret_pipeline.events.formats.row_values import from_json, lookup
from turret_pipeline.events.formats.streams import is_stream, join_chunks, read_server_events
from turret_pipeline.events.formats.templates import split_turns

_LEVELS = 8
_ALTERNATIVES = frozenset(("choices", "candidates", "generations", "completions"))
"""Keys of answers of which only the first is shown to the user."""

_MESSAGE_KEYS = ("messages", "contents", "choices", "candidates", "generations", "completions", "message", "delta")
_TEXT_KEYS = {
    USER: (
        *("prompt", "input", "inputs", "inputText", "question", "query", "user_input", "user_message", "content"),
        *("text", "request", "body", "inputBodyJson", "text_prompts", "data", "value"),
    ),
    ASSISTANT: (
        *("output", "outputs", "generation", "completion", "answer", "response", "results", "outputText"),
        *("output_text", "content", "text", "result", "reply", "body", "outputBodyJson", "data", "value"),
        "streamed_data",
    ),
}
"""Keys of an object that may hold texts, by role. Keys that may hold messages come first."""

_PAIR_ROLES = frozenset("human user ai assistant system".split())
_VECTOR_KEYS = frozenset(("embedding", "embeddings", "flagged", "relevance_score"))


def read_messages(value: object, role: str) -> list[Message]:
    """Messages in a value, in order. Texts that name no author have this role: the user in inputs, else the model."""
    return list(_find_messages(value, role, _LEVELS))


def find_new_message(messages: Sequence[Message]) -> Message | None:
    """The message of a call's input that earlier calls did not have, or None.

    Inputs repeat the conversation so far, so it is the last one, if the user wrote it. An answer after it that calls no
    tools is one whose beginning the application gave the model.
    """
    turns = [message for message in messages if message.role != SYSTEM]
    if len(turns) > 1 and turns[-1].role == ASSISTANT and not turns[-1].content.calls:
        turns.pop()
    return turns[-1] if turns and turns[-1].role == USER else None


def ends_with_answer(messages: Sequence[Message]) -> bool:
    """True if the last message is a text of the model that calls no tools.

    Where the output is empty, the answer was logged here, at the end of the conversation.
    """
    last = next((message for message in reversed(messages) if message.role != SYSTEM), None)
    return last is not None and last.role == ASSISTANT and bool(last.content.texts) and not last.content.calls


def find_last_prompt(messages: Sequence[Message]) -> Message | None:
    """The last message of the user, or None."""
    return next((message for message in reversed(messages) if message.role == USER), None)


def is_vector(output: object) -> bool:
    """True if the output of a call is a vector or a rating of its input, which is no conversation then."""
    output = from_json(output)
    if isinstance(output, list | tuple):
        output = output[0] if output else None
    if not isinstance(output, Mapping):
        return False
    rated = next((found for path in ("data.0", "results.0", "body.data.0") if (found := lookup(output, path))), None)
    return any(isinstance(value, Mapping) and not _VECTOR_KEYS.isdisjoint(value) for value in (output, rated))


def find_answers(messages: Sequence[Message]) -> list[Message]:
    """Messages of a call's output that answer it: an output may repeat its input."""
    asked = max((place for place, message in enumerate(messages) if message.role == USER), default=-1)
    return [message for message in messages[asked + 1 :] if message.role == ASSISTANT]


def _find_messages(value: object, role: str, levels: int) -> Iterator[Message]:
    value = from_json(value)
    if isinstance(value, str) and role == ASSISTANT:
        value = read_server_events(value)
    if levels == 0 or value is None:
        return
    if isinstance(value, list | tuple):
        yield from _find_in_array(value, role, levels)
    elif isinstance(value, Mapping):
        yield from _find_in_object(value, role, levels)
    elif isinstance(value, str):
        turns = split_turns(value) if role == USER else []
        for given, text in turns or [(role, value)]:
            own_role = ROLES.get(given, OTHER)
            content = read_content(text, is_answer=own_role == ASSISTANT)
            if content.text is not None:
                yield Message(own_role, content)


def _find_in_array(values: Sequence[Any], role: str, levels: int) -> Iterator[Message]:
    """Messages of an array: messages, arrays of them, or else the parts of one message."""
    if role == ASSISTANT and is_stream(values):
        yield from _find_messages(join_chunks(values), role, levels - 1)
        return
    if values and all(isinstance(item, Mapping) and ("index" in item or "finish_reason" in item) for item in values):
        values = values[:1]
    if message := _read_pair(values):
        yield message
        return
    if any(isinstance(item, list | tuple) or (isinstance(item, Mapping) and _has_message(item)) for item in values):
        for item in values:
            yield from _find_messages(item, role, levels - 1)
        return
    content = read_content(values, is_answer=role == ASSISTANT)
    if content.texts or content.calls or content.results:
        yield Message(role, content)


def _read_pair(values: Sequence[Any]) -> Message | None:
    """The message in an array of a role and a text, as LangChain takes them, or None."""
    if len(values) != 2 or not all(isinstance(value, str) for value in values) or values[0] not in _PAIR_ROLES:
        return None
    role = ROLES[values[0]]
    return Message(role, read_content(values[1], is_answer=role == ASSISTANT), {"role": values[0]}, values[0])


def _has_message(item: Mapping[str, Any]) -> bool:
    """True for a message, or for an object that holds one: a choice, a candidate or a generation."""
    return (
        read_message(item) is not None
        or any(isinstance(item.get(key), Mapping) for key in ("message", "delta", "content"))
        or "outputText" in item
        or (isinstance(item.get("data"), Mapping) and "type" not in item)
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
        arguments = list(value.values()) if len(value) == 1 and "error" not in value else []
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
