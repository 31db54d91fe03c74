"""A prompt and its generation in one row to an event for each."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from turret_pipeline.events.formats import columns as read
from turret_pipeline.events.formats.columns import Row, spoken
from turret_pipeline.events.formats.event import Event
from turret_pipeline.events.formats.extraction import columns_of, digest, fields_of, metadata_of
from turret_pipeline.events.formats.table import Exchange, Fields, Format, is_among
from turret_pipeline.events.formats.texts import ASSISTANT, USER, said

PROMPT_NAME, GENERATION_NAME = "User prompt", "AI generation"


def exchange_of(row: Row, table: Format, exchange: Exchange) -> list[Event]:
    """The prompt and the generation that a row tells, or one of them; nothing where it tells neither."""
    if not all(is_among(row.get(key), values) for key, values in exchange.only.items()):
        return []
    texts, used = _texts(row, exchange)
    if not texts:
        return []
    shared, columns = columns_of(row, table)
    times, seconds, timing = _times(row, shared.pop("event_at"), exchange)
    names = (exchange.prompt_name, exchange.generation_name)
    metadata = metadata_of(row, table, [*used, *columns, *timing, *names, *exchange.of_one])
    identify = _ids(row, shared.pop("event_id"), exchange)

    def event(part: str, key: str, default: str, own: Fields, more: dict[str, Any]) -> Event:
        return Event(
            event_id=identify(part, texts[part]),
            event_name=_name(row, key, default),
            event_at=times[part],
            metadata={**metadata, **fields_of(row, own), part: texts[part], **more},
            **shared,
        )

    timed = {} if seconds is None else {"latency": seconds}
    parts = {
        "prompt": (exchange.prompt_name, PROMPT_NAME, exchange.prompt_fields, {}),
        "generation": (exchange.generation_name, GENERATION_NAME, exchange.generation_fields, timed),
    }
    return [event(part, *parts[part]) for part in texts]


def _texts(row: Row, exchange: Exchange) -> tuple[dict[str, str], list[str]]:
    """The prompt and the generation, those of them that are there, and the paths that told them."""
    texts, used = dict[str, str](), list[str]()
    for part, paths, speaker in (("prompt", exchange.prompt, USER), ("generation", exchange.generation, ASSISTANT)):
        path, value = spoken(row, paths)
        text = read.text(part, path, value) if exchange.is_strict else said(value, speaker)
        if text is not None:
            texts[part] = text
            used.append(path)
    return texts, used


def _name(row: Row, key: str, default: str) -> str:
    value = row.get(key) if key else None
    return default if value is None else read.name(key, value)


def _ids(row: Row, event_id: str | None, exchange: Exchange) -> Callable[[str, str], str | None]:
    """How the ids of the two events are made: of the row's, or of the trace and the text where it may come again."""
    trace = read.identifier("event_id", *spoken(row, exchange.within))

    def identify(part: str, text: str) -> str | None:
        if trace is not None:
            return f"{trace}-{part}-{digest(text)}"
        return f"{event_id}-{part}" if event_id else None

    return identify


def _times(
    row: Row, at: dt.datetime | None, exchange: Exchange
) -> tuple[dict[str, dt.datetime | None], float | None, list[str]]:
    """When the prompt was sent and the generation came, the seconds between, and the paths that told it."""
    latency_path, latency = spoken(row, exchange.latency)
    ended_path, ended = spoken(row, exchange.ended_at)
    seconds, (ended_at, _) = read.latency(latency_path, latency), read.time(ended_path, ended)
    used = [latency_path, ended_path]
    if at is None:
        return {"prompt": None, "generation": None}, seconds, used
    if ended_at is not None and exchange.begins:
        seconds = max((ended_at - at).total_seconds(), 0)
    between = dt.timedelta(seconds=seconds or 0)
    prompted_at = at if exchange.begins else at - between
    return {"prompt": prompted_at, "generation": prompted_at + between}, seconds, used
