"""A row and the table of its format to events."""

from turret_pipeline.events.formats import columns as read
from turret_pipeline.events.formats.columns import Row, spoken
from turret_pipeline.events.formats.conversations import messages_of
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.exchanges import exchange_of
from turret_pipeline.events.formats.extraction import columns_of, metadata_of
from turret_pipeline.events.formats.table import Format, is_among


def events_of(row: Row, table: Format) -> list[Event]:
    """The events of a row, in the order in which they happened. Raises Rejection."""
    opened = read.opened(row, table.json) if table.json else row
    if table.only:
        _refuse_others(opened, table)
    if table.conversation is not None:
        return messages_of(opened, table, table.conversation)
    if table.exchange is not None and (events := exchange_of(opened, table, table.exchange)):
        return events
    shared, used = columns_of(opened, table)
    path, value = spoken(opened, table.columns.event_name)
    metadata = metadata_of(opened, table, [*used, path])
    return [Event(event_name=read.name(path, value), metadata=metadata, **shared)]


def _refuse_others(row: Row, table: Format) -> None:
    for key, values in table.only.items():
        if not is_among(value := row.get(key), values):
            verdict = f"of {table.title}s, only those with {' or '.join(sorted(values))} are events."
            raise Rejection("not_an_event", f"{key} is {read.shown(value)}: {verdict}")
