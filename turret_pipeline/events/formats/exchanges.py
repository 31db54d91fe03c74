"""Conversion of a call of a language model, with its input and its output in one row, to events."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from turret_pipeline.events.formats.call_fields import read_failure
from turret_pipeline.events.formats.content import TOOL_NAME_LIMIT, ToolCall, clean_text
from turret_pipeline.events.formats.event import Event
from turret_pipeline.events.formats.extraction import extract_columns, extract_fields, extract_metadata, hash_texts
from turret_pipeline.events.formats.format import Exchange, Execution, Fields, Format
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import (
    ends_with_answer,
    find_answers,
    find_last_prompt,
    find_new_message,
    is_vector,
    read_messages,
)
from turret_pipeline.events.formats.row_values import (
    Row,
    drop_nulls,
    drop_paths,
    first_value,
    parse_identifier,
    parse_latency,
    parse_name,
    parse_time,
    require_text,
)
from turret_pipeline.events.formats.tools import add_tool_events, identify_call, name_call

PROMPT_NAME, GENERATION_NAME = "User prompt", "AI generation"


@dataclass(frozen=True)
class _Call:
    """Texts and tool calls of a row, and the paths that they come from."""

    prompt: str | None
    generation: str | None
    tools: tuple[ToolCall, ...] = ()
    paths: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """True if the row has a text or a tool call."""
        return bool(self.tools) or self.prompt is not None or self.generation is not None


def parse_exchange(row: Row, spec: Format, exchange: Exchange) -> list[Event]:
    """Events of the prompt, the tool calls and the answer of a row, or of a call without text. Raises Rejection."""
    call = _read_strictly(row, exchange) if exchange.is_strict else _read_call(row, exchange)
    builder = _EventBuilder(row, spec, exchange, call)
    return builder.build() if call else [builder.build_textless(*first_value(row, spec.columns.event_name))]


def parse_execution(row: Row, spec: Format, exchange: Exchange, execution: Execution) -> Event:
    """Event of the execution of a tool. Raises Rejection."""
    return _EventBuilder(row, spec, exchange, _Call(None, None)).build_execution(execution)


def _read_strictly(row: Row, exchange: Exchange) -> _Call:
    """The texts of a row in which both must be strings. Raises Rejection."""
    (path, prompt), (answer_path, answer) = first_value(row, exchange.prompt), first_value(row, exchange.generation)
    generation = clean_text(require_text("generation", answer_path, answer), is_answer=True)
    return _Call(clean_text(require_text("prompt", path, prompt)) or "", generation or "", (), (path, answer_path))


def _read_call(row: Row, exchange: Exchange) -> _Call:
    (path, given), (answer_path, given_answer) = (
        first_value(row, exchange.prompt),
        first_value(row, exchange.generation),
    )
    if is_vector(given_answer):
        return _Call(None, None)
    inputs, answers = read_messages(given, USER), find_answers(read_messages(given_answer, ASSISTANT))
    asked = find_new_message(inputs)
    if not answers and ends_with_answer(inputs) and not _has_failed(row, exchange):
        asked, answers = find_last_prompt(inputs), find_answers(inputs)
    texts = [message.content.text for message in answers if message.content.text is not None]
    return _Call(
        asked.content.text if asked is not None else None,
        texts[-1] if texts else None,
        tuple(call for message in answers for call in message.content.calls),
        (path, answer_path),
    )


def _has_failed(row: Row, exchange: Exchange) -> bool | None:
    """True or False if the row says how the call ended, else None."""
    return read_failure(*first_value(row, exchange.failure)) if exchange.failure else None


class _EventBuilder:
    """Builder of the events of a call."""

    def __init__(self, row: Row, spec: Format, exchange: Exchange, call: _Call) -> None:
        self._row, self._exchange, self._call = row, exchange, call
        self._shared, column_paths = extract_columns(row, spec)
        self._asked_at, self._answered_at, self._seconds = _find_times(
            row, self._shared.pop("event_at"), spec, exchange
        )
        paths = call.paths if call else ()
        self._metadata = extract_metadata(row, spec, [*paths, *column_paths, *exchange.own_paths])
        self._event_id = self._shared.pop("event_id")
        self._trace_id = parse_identifier("event_id", *first_value(row, exchange.trace_id))
        self._build_id = _id_builder(self._event_id, self._trace_id)
        if not any((self._event_id, self._shared["session_id"], self._shared["user_id"])) and call:
            self._shared["session_id"] = _derive_session_id(call, self._asked_at)
        failure = _has_failed(row, exchange)
        self._outcome = {} if failure is None else {"is_error": failure}

    def build(self) -> list[Event]:
        """Events in time order. Raises Rejection."""
        call, outcome = self._call, self._outcome
        events = list[Event]()
        if call.prompt is not None:
            is_only = call.generation is None and not call.tools
            events.append(self._event("prompt", call.prompt, self._asked_at, outcome if is_only else {}))
        answer = list[Event]()
        if call.generation is not None:
            answer.append(self._event("generation", call.generation, self._answered_at, self._answer_facts() | outcome))
        return events + add_tool_events(answer, call.tools, self._template(self._answered_at), self._identify_call)

    def _template(self, at: dt.datetime | None) -> Event:
        return Event(None, "", event_at=at, metadata=self._metadata, **self._shared)

    def _identify_call(self, call: ToolCall, number: int) -> str | None:
        name = name_call(call, number)
        return self._build_id("tool", name) if self._trace_id is None else self._identify_in_trace(call, name)

    def _identify_in_trace(self, call: ToolCall, default: str) -> str:
        by_arguments = self._exchange.matches_tools_by_arguments
        return identify_call(self._trace_id or "", call, default, by_arguments=by_arguments)

    def build_textless(self, path: str, name: object) -> Event:
        """The event of a call without text. Raises Rejection."""
        own = {**self._exchange.prompt_fields, **self._exchange.generation_fields}
        facts = {**self._answer_facts(), **self._outcome}
        return Event(
            event_id=self._event_id,
            event_name=parse_name(path, name),
            event_at=self._asked_at,
            metadata=drop_paths({**self._metadata, **extract_fields(self._row, own), **facts}, [path]),
            is_textless=True,
            **self._shared,
        )

    def build_execution(self, execution: Execution) -> Event:
        """The event of the execution of a tool. Raises Rejection."""
        row, paths = self._row, (execution.name, execution.call_id, execution.arguments)
        (path, name), (id_path, call_id), (_, arguments) = (first_value(row, paths) for paths in paths)
        name = parse_name(path, name)[:TOOL_NAME_LIMIT]
        call_id = parse_identifier("event_id", id_path, call_id)
        call = ToolCall(name, call_id, self._outcome.get("is_error"), self._seconds, arguments=arguments)
        event_id = self._event_id
        if self._trace_id is not None:
            event_id = self._identify_in_trace(call, event_id or name)
        template = replace(self._template(self._asked_at), metadata=drop_paths(self._metadata, [path]))
        (event,) = add_tool_events([], [call], template, lambda _call, _number: event_id)
        return event

    def _event(self, part: str, text: str, at: dt.datetime | None, more: dict[str, Any]) -> Event:
        name_key, default_name, own = self._settings_of(part)
        return Event(
            event_id=self._build_id(part, text),
            event_name=_event_name(self._row, name_key, default_name),
            event_at=at,
            metadata={**self._metadata, **extract_fields(self._row, own), part: text, **more},
            is_textless=text == "",
            **self._shared,
        )

    def _settings_of(self, part: str) -> tuple[str, str, Fields]:
        exchange = self._exchange
        if part == "prompt":
            return exchange.prompt_name_key, PROMPT_NAME, exchange.prompt_fields
        return exchange.generation_name_key, GENERATION_NAME, exchange.generation_fields

    def _answer_facts(self) -> dict[str, Any]:
        facts = {"latency_seconds": self._seconds, "tools": [tool.name for tool in self._call.tools] or None}
        return drop_nulls(facts)


def _derive_session_id(call: _Call, at: dt.datetime | None) -> str | None:
    """A session for the events of a call that nothing else joins; None if the call has a single text."""
    if call.prompt is None or (call.generation is None and not call.tools):
        return None
    return f"call-{hash_texts(at.isoformat() if at else None, call.prompt, call.generation)}"


def _event_name(row: Row, key: str, default: str) -> str:
    value = row.get(key) if key else None
    return default if value is None else parse_name(key, value)


def _id_builder(event_id: str | None, trace_id: str | None) -> Callable[[str, str], str | None]:
    """A function that builds the id of an event from the part of the call and its text.

    The id consists of the trace and the text if the row names a trace, because other rows may repeat them; otherwise
    of the id of the row.
    """

    def build_id(part: str, text: str) -> str | None:
        if trace_id is not None:
            return f"{trace_id}-{part}-{hash_texts(text)}"
        if event_id is None:
            return None
        return f"{event_id}-{part}-{text}" if part == "tool" else f"{event_id}-{part}"

    return build_id


def _find_times(
    row: Row, at: dt.datetime | None, spec: Format, exchange: Exchange
) -> tuple[dt.datetime | None, dt.datetime | None, float | None]:
    """Times of the prompt and of the answer, and the seconds between them. Raises Rejection."""
    seconds = parse_latency(*first_value(row, exchange.latency))
    if seconds is None and (milliseconds := parse_latency(*first_value(row, exchange.latency_ms))) is not None:
        seconds = milliseconds / 1000
    ended_at, _ = parse_time(*first_value(row, exchange.ended_at), spec.time_zone)
    if at is None:
        return None, None, seconds
    if ended_at is not None and exchange.is_prompt_time:
        seconds = max((ended_at - at).total_seconds(), 0)
    between = dt.timedelta(seconds=seconds or 0)
    asked_at = at if exchange.is_prompt_time else at - between
    return asked_at, asked_at + between, seconds
