"""Events of the tools that a model calls."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from turret_pipeline.events.formats.content import ToolCall
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.extraction import hash_texts
from turret_pipeline.events.formats.row_values import from_json

TOOL_PREFIX = "tool:"
_ARGUMENTS_LIMIT = 10_000
"""Characters up to which the text of arguments is read as a Python value."""


def add_tool_events(
    answer: Sequence[Event], calls: Sequence[ToolCall], template: Event, build_id: Callable[[ToolCall, int], str | None]
) -> list[Event]:
    """The event of an answer, if there is one, between those of the tools that its model called before and after it.

    ``template`` has the columns and the metadata of the tools' events; ``build_id`` gives the id of an event by its
    call and the number of the call in the row.
    """
    events: dict[bool, list[Event]] = {False: [], True: []}
    for number, call in enumerate(calls, start=1):
        events[call.follows_text].append(
            replace(
                template,
                event_id=build_id(call, number),
                event_name=TOOL_PREFIX + call.name,
                metadata={**template.metadata, **_describe_outcome(call)},
                is_tool_call=True,
            )
        )
    return [*events[False], *answer, *events[True]]


def drop_tool_calls(events: Sequence[Event]) -> list[Event]:
    """The events of a row that are no calls of tools. Raises Rejection if there are none."""
    kept = [event for event in events if not event.is_tool_call]
    if not kept:
        raise Rejection("not_an_event", "The row only has calls of tools, which setting keep_tool_calls drops.")
    return kept


def name_call(call: ToolCall, number: int) -> str:
    """Key of a call in its row: its id, or else its number and its tool."""
    return call.call_id or f"{number}-{call.name}"


def identify_call(trace_id: str, call: ToolCall, default: str, *, by_arguments: bool = False) -> str:
    """Id of the event of a call that several rows of a trace may have: the answer that calls, and the execution.

    It consists of the trace and the id of the call, or else its tool and its arguments. ``by_arguments`` prefers the
    arguments to the id; ``default`` is for a call without either.
    """
    arguments = "\x1e".join(sorted(_list_leaves(call.arguments)))
    by_text = f"{call.name}\x1e{arguments}" if arguments else None
    keys = (by_text, call.call_id) if by_arguments else (call.call_id, by_text)
    return f"{trace_id}-tool-{hash_texts(next((key for key in keys if key), default))}"


def _read_arguments(arguments: object) -> object:
    """The value of arguments that are given as JSON, or as the text of a Python value, which LangChain writes."""
    value = from_json(arguments)
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "[", "("} and len(value) <= _ARGUMENTS_LIMIT:
        try:
            return ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return value
    return value


def _list_leaves(value: object, levels: int = 20) -> Iterator[str]:
    """Texts of the values in arguments without their names: some sources name them, others have a list or one value."""
    value = _read_arguments(value)
    if isinstance(value, Mapping | list | tuple):
        inner = value.values() if isinstance(value, Mapping) else value
        for item in inner if levels else ():
            yield from _list_leaves(item, levels - 1)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None and value != "":
        yield str(value)


def _describe_outcome(call: ToolCall) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    if call.is_error is not None:
        outcome = {"status": "error" if call.is_error else "success", "is_error": call.is_error}
    return outcome if call.latency_seconds is None else {**outcome, "latency_seconds": call.latency_seconds}
