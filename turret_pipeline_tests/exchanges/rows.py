"""A lake of literal events, and the exchanges that are built of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline.topics.embedding.texts import collect_texts, text_id

Value = Any
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
TYPES = {
    **dict.fromkeys(("prompt", "question", "generation", "comment"), "text"),
    **dict.fromkeys(("cost_usd", "input_tokens", "latency_seconds", "output_tokens", "rating", "words"), "number"),
    **dict.fromkeys(("model", "is_error", "plan", "thumbs"), "enum"),
    **dict.fromkeys(("request_id", "trace_id"), "identifier"),
}


@dataclass(frozen=True)
class Event:
    """An event at some seconds after noon, with values by field."""

    event_id: str
    event_name: str
    seconds: float
    values: Mapping[str, Value] = field(default_factory=dict)
    session_id: str = "s1"
    user_id: str | None = "u1"


def prompt(event_id: str, seconds: float, text: str = "hello", session_id: str = "s1", **values: Value) -> Event:
    """A prompt, with more values than its text."""
    return Event(event_id, "prompt_sent", seconds, {"prompt": text, **values}, session_id)


def answer(event_id: str, seconds: float, session_id: str = "s1", **values: Value) -> Event:
    """An answer."""
    return Event(event_id, "answer_given", seconds, {"generation": "hi", **values}, session_id)


def feedback(event_id: str, seconds: float, session_id: str = "s1", **values: Value) -> Event:
    """Feedback."""
    return Event(event_id, "feedback", seconds, values, session_id)


def write_lake(
    folder: Path,
    events: Sequence[Event],
    *,
    topics: Mapping[str, str] | None = None,
    continued: Mapping[str, str] | None = None,
    order: int = 1,
) -> Lake:
    """A lake of the events, in order of their time, with topics by text and continued topics by event.

    ``order`` -1 reverses the rows of every table but ``events``, whose order is that of the events.
    """
    lake = Lake(folder)
    lake.root.mkdir(parents=True, exist_ok=True)
    rows = [
        {"event_id": event.event_id, "field": name, "value": _as_text(value), "number": _as_number(value)}
        for event in events
        for name, value in event.values.items()
    ]
    values = pl.DataFrame(rows, LAKE_TABLES["event_values"].schema).with_columns(json_type=pl.lit("string"))
    texts = [name for name, kind in TYPES.items() if kind == "text"]
    _write(lake, "events", [_event_row(event) for event in sorted(events, key=lambda event: event.seconds)])
    lake.write("event_values", values.sort("field", maintain_order=True)[::order])
    lake.write("event_texts", collect_texts(values.lazy(), texts)[0][::order])
    found = {text_id(text): topic for text, topic in (topics or {}).items()}
    _write(
        lake,
        "text_topics",
        [
            {"field": name, "text_id": key, "topic_id": topic}
            for name in ("prompt", "question")
            for key, topic in found.items()
        ][::order],
    )
    _write(
        lake,
        "continuations",
        [{"event_id": key, "field": "prompt", "continues_topic_id": topic} for key, topic in (continued or {}).items()][
            ::order
        ],
    )
    _write(lake, "fields", [{"field": name, "type": kind} for name, kind in TYPES.items()])
    return lake


def build(lake: Lake, options: ExchangeOptions | None = None) -> list[dict[str, Any]]:
    """Rows of ``exchanges``, in order."""
    write_exchanges(lake, options or ExchangeOptions())
    return lake.read("exchanges").sort("prompt_at", "exchange_id").to_dicts()


def columns(rows: Sequence[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]


def _write(lake: Lake, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    lake.write(table, pl.DataFrame(rows, LAKE_TABLES[table].schema))


def _event_row(event: Event) -> dict[str, Any]:
    at = NOON + dt.timedelta(seconds=event.seconds)
    return {
        "event_id": event.event_id,
        "event_name": event.event_name,
        "session_id": event.session_id,
        "user_id": event.user_id,
        "event_at": at,
        "is_time_ahead": False,
    }


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
