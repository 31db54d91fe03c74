"""Events of the tools that a model calls."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from turret_pipeline.events.formats.content import ToolCall
from turret_pipeline.events.formats.event import Event

TOOL_PREFIX = "tool:"


def add_tool_events(
    answer: Sequence[Event], calls: Sequence[ToolCall], template: Event, build_id: Callable[[str], str | None]
) -> list[Event]:
    """The event of an answer, if there is one, between those of the tools that its model called before and after it.

    ``template`` has the columns and the metadata of the tools' events; ``build_id`` gives the id of an event by what
    identifies its call in the row.
    """
    events: dict[bool, list[Event]] = {False: [], True: []}
    for number, call in enumerate(calls, start=1):
        events[call.follows_text].append(
            replace(
                template,
                event_id=build_id(call.call_id or f"{number}-{call.name}"),
                event_name=TOOL_PREFIX + call.name,
                metadata={**template.metadata, **describe_outcome(call)},
                is_tool_call=True,
            )
        )
    return [*events[False], *answer, *events[True]]


def describe_outcome(call: ToolCall) -> dict[str, Any]:
    """Metadata fields that say how a call ended and how long it took, as far as that is known."""
    outcome: dict[str, Any] = {}
    if call.is_error is not None:
        outcome = {"status": "error" if call.is_error else "success", "is_error": call.is_error}
    return outcome if call.latency_seconds is None else {**outcome, "latency_seconds": call.latency_seconds}
