"""Shortened results of parsing rows of calls, for tests."""

from turret_pipeline.events.formats import Event, parse_record


def texts_of(record: object) -> list[tuple[str, str | None]]:
    """Names of the events of a row, each with its prompt or its answer."""
    return [(event.event_name, text_of(event)) for event in parse_record(record)]


def text_of(event: Event) -> str | None:
    """The prompt or the answer of an event."""
    return event.metadata.get("prompt", event.metadata.get("generation"))
