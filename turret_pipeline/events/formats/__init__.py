"""Formats of rows, and the conversion of one parsed row of any format to canonical events.

Descriptions of source formats and the engine that applies them belong here; bytes, files and data frames do not.
"""

import datetime as dt
from collections.abc import Mapping

import orjson

from turret_pipeline.events.formats.amplitude import AMPLITUDE
from turret_pipeline.events.formats.bedrock import BEDROCK
from turret_pipeline.events.formats.call_logs import CALL_LOG
from turret_pipeline.events.formats.chat_messages import CHAT_MESSAGE
from turret_pipeline.events.formats.chatgpt import CHATGPT
from turret_pipeline.events.formats.chats import OPENAI_CHAT, SHAREGPT
from turret_pipeline.events.formats.claude_ai import CLAUDE_AI
from turret_pipeline.events.formats.coding_agents import CLAUDE_CODE, GEMINI_CLI
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.event_logs import EVENT_LOG
from turret_pipeline.events.formats.format import Format
from turret_pipeline.events.formats.ga4 import GA4
from turret_pipeline.events.formats.gateways import CLOUDFLARE, OPENROUTER, PORTKEY
from turret_pipeline.events.formats.guesses import collect_values, find_paths
from turret_pipeline.events.formats.helicone import HELICONE
from turret_pipeline.events.formats.intercom import INTERCOM
from turret_pipeline.events.formats.langfuse import LANGFUSE_OBSERVATION, LANGFUSE_SCORE, LANGFUSE_TRACE
from turret_pipeline.events.formats.langsmith import LANGSMITH_FEEDBACK, LANGSMITH_RUN
from turret_pipeline.events.formats.librechat import LIBRECHAT_CONVERSATION, LIBRECHAT_MESSAGE
from turret_pipeline.events.formats.litellm import LITELLM
from turret_pipeline.events.formats.mixpanel import MIXPANEL
from turret_pipeline.events.formats.nested_rows import split_record
from turret_pipeline.events.formats.open_webui import OPEN_WEBUI_CHAT, OPEN_WEBUI_FEEDBACK, OPEN_WEBUI_MESSAGE
from turret_pipeline.events.formats.openai_calls import AZURE_CALL, MODEL_BATCH, OPENAI_RESPONSE
from turret_pipeline.events.formats.posthog import POSTHOG
from turret_pipeline.events.formats.rasa import RASA_EVENT, RASA_TRACKER
from turret_pipeline.events.formats.row_conversion import build_events
from turret_pipeline.events.formats.row_values import Row, parse_json_columns, type_name
from turret_pipeline.events.formats.rudderstack import RUDDERSTACK, SEGMENT_WAREHOUSE
from turret_pipeline.events.formats.segment import SEGMENT
from turret_pipeline.events.formats.snowplow import SNOWPLOW
from turret_pipeline.events.formats.spans import OPENINFERENCE_SPAN, OTEL_SPAN
from turret_pipeline.events.formats.times import to_utc
from turret_pipeline.events.formats.trubrics import TRUBRICS_EVENT, TRUBRICS_LLM
from turret_pipeline.events.formats.turret import REQUIREMENT, TURRET, has_event_keys
from turret_pipeline.events.formats.zendesk import ZENDESK_CHAT, ZENDESK_TICKET
from turret_pipeline.events.formats.zendesk_messaging import ZENDESK_MESSAGING

__all__ = [
    "AUTO",
    "FORMATS",
    "INPUT_FORMATS",
    "MAPPED",
    "Event",
    "Format",
    "Rejection",
    "build_events",
    "choose_format",
    "detect_format",
    "is_of_format",
    "parse_record",
    "split_record",
    "to_utc",
]

FORMATS: Mapping[str, Format] = {
    spec.name: spec
    for spec in (
        *(CHATGPT, CLAUDE_AI, OPEN_WEBUI_CHAT, OPEN_WEBUI_MESSAGE, OPEN_WEBUI_FEEDBACK),
        *(LIBRECHAT_CONVERSATION, LIBRECHAT_MESSAGE, CLAUDE_CODE, GEMINI_CLI, RASA_TRACKER, RASA_EVENT),
        *(OPENINFERENCE_SPAN, OTEL_SPAN, LANGSMITH_RUN, LANGSMITH_FEEDBACK),
        *(RUDDERSTACK, SEGMENT, SEGMENT_WAREHOUSE, GA4, SNOWPLOW, AMPLITUDE),
        *(INTERCOM, ZENDESK_TICKET, ZENDESK_CHAT, ZENDESK_MESSAGING),
        *(POSTHOG, MIXPANEL, LANGFUSE_SCORE, LANGFUSE_OBSERVATION, LANGFUSE_TRACE),
        *(LITELLM, HELICONE, BEDROCK, PORTKEY, OPENROUTER, CLOUDFLARE, AZURE_CALL, MODEL_BATCH, OPENAI_RESPONSE),
        *(EVENT_LOG, TRUBRICS_LLM, TRUBRICS_EVENT, TURRET, CALL_LOG, CHAT_MESSAGE, OPENAI_CHAT, SHAREGPT),
    )
}
"""All formats by name, in the order in which they are tried: a row has the first format whose shape it matches.

Formats that require keys of their own come before those that require few. A Segment page, which has a ``name`` just as
a Turret event does, is thus recognised as Segment; and a row with a ``name`` is a Turret event even if it also has
``messages``.
"""

AUTO, MAPPED = "auto", "mapping"
INPUT_FORMATS = (AUTO, *FORMATS, MAPPED)
"""Values of the setting input_format: detect the format, use this format, or use the mapping."""


def parse_record(record: object, selected: Format | None = None, zone: dt.tzinfo = dt.UTC) -> list[Event]:
    """Events of one record, in time order, by the selected format or the detected one. Raises Rejection.

    ``zone`` is that of times without one.
    """
    return build_events(*choose_format(record, selected, zone))


def choose_format(record: object, selected: Format | None = None, zone: dt.tzinfo = dt.UTC) -> tuple[Row, Format]:
    """The record as a row, and its format: the selected one if the row matches it. Raises Rejection."""
    if not isinstance(record, Mapping):
        raise Rejection("not_an_object", f"The row is {type_name(record)}: it must be a JSON object.")
    if selected is None:
        return record, detect_format(record).in_zone(zone)
    if missing := _find_missing_keys(record, selected):
        other = _find_format(record) if selected.allows_other_formats else None
        if other is not None:
            return record, other.in_zone(zone)
        problem = f"missing {' and '.join(missing)}; keys: {_list_keys(record)}"
        raise Rejection("not_of_format", f"The row does not match format {selected.name}: {problem}.")
    return record, selected.in_zone(zone)


def is_of_format(record: Mapping[str, object], spec: Format) -> bool:
    """True if the record has all keys that the format needs."""
    return not _find_missing_keys(record, spec)


def _find_missing_keys(record: Mapping[str, object], selected: Format) -> list[str]:
    """Descriptions of the keys of the format that the record lacks, also inside columns of JSON text."""
    missing = selected.shape.missing_keys(record)
    return missing and selected.shape.missing_keys(parse_json_columns(record, selected.json_columns)[0])


def detect_format(record: Mapping[str, object]) -> Format:
    """First format whose shape the record matches. Raises Rejection."""
    found = _find_format(record)
    if found is not None:
        return found
    raise Rejection(
        "unknown_shape",
        f"The row matches no known format (`turret formats` lists them); keys: {_list_keys(record)}. "
        + _suggest_format(record)
        + _suggest_fix(record),
    )


def _suggest_format(record: Mapping[str, object]) -> str:
    """A sentence for a row that could be a Turret event, or nothing."""
    if TURRET.shape.missing_keys(record) or has_event_keys(record):
        return ""
    return f"A Turret event with a name has {REQUIREMENT}; if it is one, `--format turret` reads it. "


def _suggest_fix(record: Mapping[str, object]) -> str:
    """A sentence that says how rows like this one can be read."""
    values = collect_values([record])
    name, time = find_paths("event_name", values, 1)[:1], find_paths("event_at", values, 1)[:1]
    if name and time and name != time:
        mapping = f"event_name = {orjson.dumps(name[0]).decode()} and event_at = {orjson.dumps(time[0]).decode()}"
        return (
            f"Its time seems to be {time[0]}: add [mapping] to turret.toml with {mapping}. `turret inspect FILE` shows "
            "the events that this gives."
        )
    rows = [key for key, value in record.items() if _are_readable_rows(value)]
    if len(rows) == 1 and str(rows[0]).isidentifier():
        return f"The rows are inside {rows[0]}: extract them, for example with jq -c '.{rows[0]}[]'."
    return (
        "`turret inspect FILE` shows such rows, and the [mapping] for turret.toml that can read them, if it finds one."
    )


def _are_readable_rows(value: object) -> bool:
    """True for an array of objects that all match a format."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, Mapping) and _find_format(item) is not None for item in value)
    )


def _find_format(record: Mapping[str, object]) -> Format | None:
    return next((spec for spec in FORMATS.values() if spec.shape.matches(record)), None)


def _list_keys(record: Mapping[str, object]) -> str:
    return ", ".join(sorted(map(str, record))[:8]) or "none"
