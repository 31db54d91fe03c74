"""Messages in the attributes and the events of spans of language models."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from turret_pipeline.events.formats.row_values import Paths, Row, first_value, from_json
from turret_pipeline.events.formats.span_rows import Span, SpanEvent, flatten, nest, unfold

_INPUTS: Paths = (
    *("gen_ai.input.messages", "llm.input_messages", "gen_ai.prompt", "llm.prompts", "ai.prompt.messages"),
    *("ai.prompt", "langfuse.observation.input", "traceloop.entity.input", "input.value", "mlflow.spanInputs"),
    *("langfuse.trace.input", "gcp.vertex.agent.llm_request"),
)
_OUTPUTS: Paths = (
    *("gen_ai.output.messages", "llm.output_messages", "gen_ai.completion", "llm.completions"),
    *("langfuse.observation.output", "traceloop.entity.output", "output.value", "mlflow.spanOutputs"),
    *("langfuse.trace.output", "final_result", "gcp.vertex.agent.llm_response"),
)
_TRANSCRIPTS: Paths = ("pydantic_ai.all_messages", "all_messages_events")
"""Attributes with the messages of an input and those of its output."""

_VERCEL_TEXTS: Paths = ("ai.response.text", "ai.result.text", "ai.response.object", "ai.result.object")
_VERCEL_CALLS: Paths = ("ai.response.toolCalls", "ai.result.toolCalls")
_ROLES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
_WRAPPERS = ("message", "message_content", "tool_call")
_QUOTED = ("traceloop.", "mlflow.")
"""Prefixes of attributes that hold JSON also if it is a string."""


def read_texts(span: Span) -> tuple[object, object]:
    """The input and the output of a call, in shapes of messages, or None for either."""
    given, answer = _first_value(span.attributes, _INPUTS), _read_output(span.attributes)
    sent, chosen = _read_events(span)
    given, answer = (sent or None) if given is None else given, (chosen or None) if answer is None else answer
    transcript = from_json(first_value(span.attributes, _TRANSCRIPTS)[1])
    if isinstance(transcript, list):
        asked, answered = _split_transcript([_read_item(item) for item in transcript])
        return asked if given is None else given, answered if answer is None else answer
    return given, answer


def _first_value(attributes: Row, keys: Paths) -> object:
    for key in keys:
        value = nest(attributes, key)
        if value is None or value == "":
            continue
        if isinstance(value, str) and key.startswith(_QUOTED) and value[:1] == '"':
            return _unquote(value)
        if key in attributes and not isinstance(value, list):
            return value
        return _unwrap(unfold(value), keeps_ids=key.startswith(("gen_ai.input", "gen_ai.output")))
    return None


def _read_output(attributes: Row) -> object:
    """The output of a call. Answers of the Vercel AI SDK have texts and calls of tools in attributes of their own."""
    text, calls = first_value(attributes, _VERCEL_TEXTS)[1], from_json(first_value(attributes, _VERCEL_CALLS)[1])
    if text is None and not calls:
        return _first_value(attributes, _OUTPUTS)
    return {"role": "assistant", "content": text, "tool_calls": calls}


def _unwrap(value: object, *, keeps_ids: bool, levels: int = 12) -> object:
    """The value without the objects that OpenInference puts around messages, parts and calls.

    Conventions whose executions of tools have no id of the call do not need the ids of calls.
    """
    if isinstance(value, list) and levels:
        return [_unwrap(item, keeps_ids=keeps_ids, levels=levels - 1) for item in value]
    if not isinstance(value, Mapping) or not levels:
        return value
    for key in _WRAPPERS:
        if len(value) == 1 and isinstance(value.get(key), Mapping):
            return _unwrap(value[key], keeps_ids=keeps_ids, levels=levels - 1)
    found: dict[str, Any] = {key: _unwrap(item, keeps_ids=keeps_ids, levels=levels - 1) for key, item in value.items()}
    if "contents" in found:
        found["content"] = found.pop("contents")
    elif isinstance(found.get("content"), str):
        found["content"] = _read_parts(found["content"])
    calls = found.get("tool_calls")
    if isinstance(calls, list) and not keeps_ids:
        found["tool_calls"] = [
            {key: item for key, item in call.items() if key != "id"} for call in calls if isinstance(call, Mapping)
        ]
    return found


def _read_parts(text: str) -> object:
    """The parts of which a text is the JSON, as OpenLLMetry writes them, or the text."""
    parts = from_json(text) if text.lstrip()[:1] == "[" else None
    is_of_parts = isinstance(parts, list) and all(isinstance(part, Mapping) and "type" in part for part in parts)
    return parts if parts and is_of_parts else text


def _read_events(span: Span) -> tuple[list[object], list[object]]:
    """Messages of the input and of the output in the events of a span."""
    sent, chosen = list[object](), list[object]()
    for event in (*span.events, *_listed_events(span.attributes)):
        if event.name == "gen_ai.content.prompt":
            sent.append(from_json(_first_value(event.attributes, ("gen_ai.prompt",))))
        elif event.name == "gen_ai.content.completion":
            chosen.append(from_json(_first_value(event.attributes, ("gen_ai.completion",))))
        elif event.name in _ROLES:
            sent.append(_read_message(event, _ROLES[event.name]))
        elif event.name == "gen_ai.choice":
            chosen.append(_read_message(event, "assistant"))
    return sent, chosen


def _listed_events(attributes: Row) -> Iterator[SpanEvent]:
    """Events in an attribute, where Pydantic AI has them."""
    listed = from_json(attributes.get("events"))
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping):
            yield SpanEvent(str(item.get("event.name")), flatten(item))


def _read_message(event: SpanEvent, role: str) -> dict[str, Any]:
    """The message in an event, whose values may be attributes or the JSON text of its body."""
    body = from_json(first_value(event.attributes, ("gen_ai.event.content", "event.body", "body"))[1])
    values: Mapping[str, Any] = body if isinstance(body, Mapping) else event.attributes
    inner = from_json(values.get("message") if "message" in values else nest(values, "message"))
    if isinstance(inner, Mapping):
        values = {**values, **inner}
    elif isinstance(inner, str | list):
        values = {**values, "content": inner}
    content = nest(values, "content")
    return {"role": role, "content": from_json(content), "tool_calls": from_json(nest(values, "tool_calls"))}


def _read_item(item: object) -> object:
    """A message of a transcript, which may be an event."""
    if isinstance(item, Mapping) and item.get("event.name") in _ROLES:
        return _read_message(SpanEvent(item["event.name"], flatten(item)), _ROLES[item["event.name"]])
    return item


def _split_transcript(messages: list[object]) -> tuple[list[object], list[object]]:
    """The messages up to the last one of the user, and those after it."""
    asked = [place for place, message in enumerate(messages) if _is_of_user(message)]
    end = asked[-1] + 1 if asked else 0
    return messages[:end], messages[end:]


def _is_of_user(message: object) -> bool:
    """True for a message that a user wrote, and not for results of tools, which may have the same role."""
    if not isinstance(message, Mapping) or message.get("role") != "user":
        return False
    parts = message.get("parts")
    if not isinstance(parts, list):
        return True
    return any(isinstance(part, Mapping) and part.get("type") != "tool_call_response" for part in parts)


def _unquote(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
