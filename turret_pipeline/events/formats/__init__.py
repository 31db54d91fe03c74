"""One parsed record to canonical events, whatever tool wrote it.

Belongs here: the shapes of the sources, as tables, and the engine that reads rows by them. Not here: bytes, files,
frames.
"""

from collections.abc import Mapping

from turret_pipeline.events.formats.chats import OPENAI_CHAT, SHAREGPT
from turret_pipeline.events.formats.columns import kind
from turret_pipeline.events.formats.engine import events_of
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.langfuse import LANGFUSE_OBSERVATION, LANGFUSE_TRACE
from turret_pipeline.events.formats.mixpanel import MIXPANEL
from turret_pipeline.events.formats.posthog import POSTHOG
from turret_pipeline.events.formats.segment import SEGMENT
from turret_pipeline.events.formats.table import Format
from turret_pipeline.events.formats.times import to_utc
from turret_pipeline.events.formats.trubrics import TRUBRICS_EVENT, TRUBRICS_LLM
from turret_pipeline.events.formats.turret import TURRET

__all__ = [
    "AUTO",
    "FORMATS",
    "INPUT_FORMATS",
    "MAPPED",
    "Event",
    "Format",
    "Rejection",
    "parse_record",
    "recognised",
    "to_utc",
]

FORMATS: Mapping[str, Format] = {
    table.name: table
    for table in (
        *(SEGMENT, POSTHOG, MIXPANEL, LANGFUSE_OBSERVATION, LANGFUSE_TRACE),
        *(TRUBRICS_LLM, TRUBRICS_EVENT, TURRET, OPENAI_CHAT, SHAREGPT),
    )
}
"""Every format, in the order in which a row is tried: the first whose shape it has is its format.

Those that ask for keys of their own come before those that ask for little, so that a Segment page, whose ``name`` a
Turret event has too, is told from it; and a Turret event stays one whatever else it carries, ``messages`` included.
"""

AUTO, MAPPED = "auto", "mapping"
INPUT_FORMATS = (AUTO, *FORMATS, MAPPED)
"""What a person may say of the input: nothing, one of the formats, or that the mapping holds."""


def parse_record(record: object, chosen: Format | None = None) -> list[Event]:
    """The events of one record, in time order, by its shape or by the format that was chosen. Raises Rejection."""
    if not isinstance(record, Mapping):
        raise Rejection("not_an_object", f"A row must be a JSON object; this is {kind(record)}.")
    if chosen is None:
        return events_of(record, recognised(record))
    if lacking := chosen.shape.missing(record):
        other = _matching(record) if chosen.leaves_others else None
        if other is not None:
            return events_of(record, other)
        needs = f"it lacks {' and '.join(lacking)}; keys: {_keys(record)}"
        raise Rejection("not_of_format", f"The row is no {chosen.title} (format {chosen.name}): {needs}.")
    return events_of(record, chosen)


def recognised(record: Mapping[str, object]) -> Format:
    """The first format whose shape the record has. Raises Rejection."""
    found = _matching(record)
    if found is not None:
        return found
    raise Rejection(
        "unknown_shape",
        f"The row is of no format that is known (`turret formats` lists them); keys: {_keys(record)}. "
        + _remedy(record),
    )


def _remedy(record: Mapping[str, object]) -> str:
    arrays = [
        key
        for key, value in record.items()
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
    ]
    if len(arrays) == 1 and str(arrays[0]).isidentifier():
        return f"The rows seem to be in its {arrays[0]}: take them out, as jq -c '.{arrays[0]}[]' does."
    return "A mapping in turret.toml says where its name and time are."


def _matching(record: Mapping[str, object]) -> Format | None:
    return next((table for table in FORMATS.values() if table.shape.matches(record)), None)


def _keys(record: Mapping[str, object]) -> str:
    return ", ".join(sorted(map(str, record))[:8]) or "none"
