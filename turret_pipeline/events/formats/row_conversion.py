"""Conversion of a row to events by the description of its format."""

from dataclasses import replace

from turret_pipeline.events.formats.conversations import parse_conversation
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.exchanges import parse_exchange, parse_execution
from turret_pipeline.events.formats.extraction import extract_columns, extract_metadata
from turret_pipeline.events.formats.format import Format, has_values, is_among, is_execution
from turret_pipeline.events.formats.row_values import Row, describe_value, first_value, parse_json_columns, parse_name


def build_events(row: Row, spec: Format) -> list[Event]:
    """Events of a row, in time order. Raises Rejection."""
    parsed, is_repaired = parse_json_columns(row, spec.json_columns)
    events = _build_parsed_events(spec.normalize(parsed) if spec.normalize else parsed, spec)
    return [replace(event, is_repaired=True) for event in events] if is_repaired else events


def _build_parsed_events(parsed: Row, spec: Format) -> list[Event]:
    if spec.only_if:
        _reject_non_events(parsed, spec)
    if spec.conversation is not None:
        return parse_conversation(parsed, spec, spec.conversation)
    if spec.exchange is not None and spec.execution is not None and is_execution(parsed, spec.execution):
        return [parse_execution(parsed, spec, spec.exchange, spec.execution)]
    if spec.exchange is not None and has_values(parsed, spec.exchange.only_if):
        return parse_exchange(parsed, spec, spec.exchange)
    shared, used = extract_columns(parsed, spec)
    path, value = first_value(parsed, spec.columns.event_name)
    metadata = extract_metadata(parsed, spec, [*used, path])
    return [Event(event_name=parse_name(path, value), metadata=metadata, **shared)]


def _reject_non_events(row: Row, spec: Format) -> None:
    for key, values in spec.only_if.items():
        if not is_among(value := row.get(key), values):
            rule = f"only {spec.title}s with {key} {' or '.join(sorted(values))} are events."
            raise Rejection("not_an_event", f"{key} is {describe_value(value)}: {rule}")
