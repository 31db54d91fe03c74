"""Conversion of a row that holds a prompt and its generation to one event for each."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from turret_pipeline.events.formats.event import Event
from turret_pipeline.events.formats.extraction import extract_columns, extract_fields, extract_metadata, hash_texts
from turret_pipeline.events.formats.format import Exchange, Fields, Format, is_among
from turret_pipeline.events.formats.row_values import (
    Row,
    first_value,
    parse_identifier,
    parse_latency,
    parse_name,
    parse_time,
    require_text,
)
from turret_pipeline.events.formats.texts import ASSISTANT, USER, find_last_text

PROMPT_NAME, GENERATION_NAME = "User prompt", "AI generation"


def parse_exchange(row: Row, spec: Format, exchange: Exchange) -> list[Event]:
    """Events of the prompt and the generation of a row; empty if it has neither. Raises Rejection."""
    if not all(is_among(row.get(key), values) for key, values in exchange.only_if.items()):
        return []
    texts, used = _find_texts(row, exchange)
    if not texts:
        return []
    shared, column_paths = extract_columns(row, spec)
    times, seconds, time_paths = _find_times(row, shared.pop("event_at"), exchange)
    name_keys = (exchange.prompt_name_key, exchange.generation_name_key)
    metadata = extract_metadata(row, spec, [*used, *column_paths, *time_paths, *name_keys, *exchange.own_field_paths])
    build_id = _id_builder(row, shared.pop("event_id"), exchange)

    def build_event(part: str, name_key: str, default_name: str, own: Fields, more: dict[str, Any]) -> Event:
        return Event(
            event_id=build_id(part, texts[part]),
            event_name=_event_name(row, name_key, default_name),
            event_at=times[part],
            metadata={**metadata, **extract_fields(row, own), part: texts[part], **more},
            **shared,
        )

    latency = {} if seconds is None else {"latency": seconds}
    parts = {
        "prompt": (exchange.prompt_name_key, PROMPT_NAME, exchange.prompt_fields, {}),
        "generation": (exchange.generation_name_key, GENERATION_NAME, exchange.generation_fields, latency),
    }
    return [build_event(part, *parts[part]) for part in texts]


def _find_texts(row: Row, exchange: Exchange) -> tuple[dict[str, str], list[str]]:
    """The prompt and the generation, as far as the row has them, and the paths that they come from."""
    texts, used = dict[str, str](), list[str]()
    for part, paths, speaker in (("prompt", exchange.prompt, USER), ("generation", exchange.generation, ASSISTANT)):
        path, value = first_value(row, paths)
        text = require_text(part, path, value) if exchange.is_strict else find_last_text(value, speaker)
        if text is not None:
            texts[part] = text
            used.append(path)
    return texts, used


def _event_name(row: Row, key: str, default: str) -> str:
    value = row.get(key) if key else None
    return default if value is None else parse_name(key, value)


def _id_builder(row: Row, event_id: str | None, exchange: Exchange) -> Callable[[str, str], str | None]:
    """A function that builds the id of each of the two events.

    The id consists of the trace and the text if the row names a trace, because other rows may repeat them; otherwise
    of the id of the row.
    """
    trace_id = parse_identifier("event_id", *first_value(row, exchange.trace_id))

    def build_id(part: str, text: str) -> str | None:
        if trace_id is not None:
            return f"{trace_id}-{part}-{hash_texts(text)}"
        return f"{event_id}-{part}" if event_id else None

    return build_id


def _find_times(
    row: Row, at: dt.datetime | None, exchange: Exchange
) -> tuple[dict[str, dt.datetime | None], float | None, list[str]]:
    """Times of the prompt and the generation, the seconds between them, and the paths that these come from."""
    latency_path, latency = first_value(row, exchange.latency)
    ended_path, ended = first_value(row, exchange.ended_at)
    seconds, (ended_at, _) = parse_latency(latency_path, latency), parse_time(ended_path, ended)
    used = [latency_path, ended_path]
    if at is None:
        return {"prompt": None, "generation": None}, seconds, used
    if ended_at is not None and exchange.is_prompt_time:
        seconds = max((ended_at - at).total_seconds(), 0)
    between = dt.timedelta(seconds=seconds or 0)
    prompted_at = at if exchange.is_prompt_time else at - between
    return {"prompt": prompted_at, "generation": prompted_at + between}, seconds, used
