"""Fields of own events under other names fill the columns of exchanges."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import CONTINUATIONS, EVENT_TEXTS, EVENT_VALUES, FIELDS, LAKE_EVENTS, TEXT_TOPICS, Table

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def fill(table: Table, *rows: Mapping[str, object]) -> pl.DataFrame:
    """The table with these rows; columns that are not given have a value that is the same for all rows."""
    blank = {
        name: {pl.String: "", pl.Int64: 0, pl.Float64: 0.0, pl.Boolean: False, pl.Date: START.date()}.get(
            type(kind), [] if isinstance(kind, pl.List) else START
        )
        for name, kind in table.schema.items()
    }
    return pl.DataFrame([{**blank, **row} for row in rows], table.schema)


def build_lake(folder: Path, types: Mapping[str, str], *answers: Mapping[str, object]) -> Lake:
    """A lake with a session of prompts, each with one of these answers."""
    lake = Lake(folder)
    events: list[dict[str, object]] = []
    values: list[dict[str, object]] = []
    folder.mkdir(parents=True)
    for number, answer in enumerate(answers):
        for side, metadata in (("prompt_sent", {"prompt": "Refund please"}), ("answer_shown", answer)):
            event_id = f"{side}-{number}"
            at = START + dt.timedelta(seconds=len(events))
            events.append({"event_id": event_id, "event_name": side, "session_id": "s", "user_id": "u", "event_at": at})
            values += [
                {
                    "event_id": event_id,
                    "field": field,
                    "value": str(value).lower() if isinstance(value, bool) else str(value),
                    "number": float(value) if type(value) in {int, float} else None,  # type: ignore[arg-type]
                }
                for field, value in metadata.items()
            ]
    lake.write("events", fill(LAKE_EVENTS, *events))
    lake.write("event_values", fill(EVENT_VALUES, *values))
    all_types = {"prompt": "text", **types}
    lake.write("fields", fill(FIELDS, *({"field": field, "type": kind} for field, kind in all_types.items())))
    prompts = [event["event_id"] for event in events if event["event_name"] == "prompt_sent"]
    texts = ({"event_id": event_id, "field": "prompt", "text_id": "t"} for event_id in prompts)
    lake.write("event_texts", fill(EVENT_TEXTS, *texts))
    for table in (TEXT_TOPICS, CONTINUATIONS):
        lake.write(table.name, table.empty())
    return lake


def list_exchanges(folder: Path, types: Mapping[str, str], *answers: Mapping[str, object]) -> list[dict[str, Any]]:
    """The exchanges of a session with these answers, in order."""
    lake = build_lake(folder, types, *answers)
    write_exchanges(lake, ExchangeOptions())
    return lake.read("exchanges").to_dicts()


@pytest.mark.parametrize(
    ("field", "kind", "value", "column", "expected"),
    [
        ("answer_tokens", "number", 120, "output_tokens", 120.0),
        ("completionTokens", "number", 120, "output_tokens", 120.0),
        ("usage.completion_tokens", "number", 120, "output_tokens", 120.0),
        ("prompt_tokens", "number", 12, "input_tokens", 12.0),
        ("total_cost_usd", "number", 0.25, "cost_usd", 0.25),
        ("costUSD", "number", 0.25, "cost_usd", 0.25),
        ("duration_seconds", "number", 1.5, "latency_seconds", 1.5),
        ("latency_ms", "number", 1500, "latency_seconds", 1.5),
        ("responseTimeMs", "number", 1500, "latency_seconds", 1.5),
        ("model_id", "enum", "wren", "model", "wren"),
        ("has_error", "enum", True, "is_error", True),
        ("has_error", "enum", False, "is_error", False),
    ],
)
def test_another_name_of_the_same_quantity_fills_the_column(
    tmp_path: Path, field: str, kind: str, value: object, column: str, expected: object
) -> None:
    folder = tmp_path / "lake"
    (exchange,) = list_exchanges(folder, {field: kind}, {field: value})
    assert exchange[column] == expected
    assert Lake(folder).read("exchange_values").filter(pl.col("field") == field).is_empty()


@pytest.mark.parametrize(
    ("field", "kind", "value", "column"),
    [
        ("answer_tokens", "enum", "many", "output_tokens"),
        ("model_name", "number", 3, "model"),
        ("cost", "number", 3, "cost_usd"),
        ("device.model_name", "enum", "Pixel", "model"),
        ("response_time", "number", 3, "latency_seconds"),
    ],
)
def test_a_field_of_another_type_unit_or_meaning_stays_a_value(
    tmp_path: Path, field: str, kind: str, value: object, column: str
) -> None:
    folder = tmp_path / "lake"
    (exchange,) = list_exchanges(folder, {field: kind}, {field: value})
    assert exchange[column] is None
    assert Lake(folder).read("exchange_values")["field"].to_list() == [field]


def test_an_event_with_several_names_counts_once_by_the_best_name(tmp_path: Path) -> None:
    types = dict.fromkeys(("completion_tokens", "answer_tokens", "output_tokens"), "number")
    all_names = {"completion_tokens": 3, "answer_tokens": 2, "output_tokens": 1}
    answers = [all_names, {"completion_tokens": 3, "answer_tokens": 2}, {"completion_tokens": 3}, {}]
    for folder, order in ((tmp_path / "one", list(types)), (tmp_path / "other", list(reversed(types)))):
        found = list_exchanges(folder, {name: types[name] for name in order}, *answers)
        assert [exchange["output_tokens"] for exchange in found] == [1.0, 2.0, 3.0, None]


def test_a_number_that_cannot_be_one_hides_no_other_name(tmp_path: Path) -> None:
    types = dict.fromkeys(("latency_seconds", "latency_ms"), "number")
    answers: list[dict[str, object]] = [
        {"latency_seconds": -1, "latency_ms": 1500},
        {"latency_seconds": "unknown", "latency_ms": 1500},
    ]
    found = list_exchanges(tmp_path / "lake", types, *answers)
    assert [exchange["latency_seconds"] for exchange in found] == [1.5, 1.5]


def test_two_spellings_of_one_name_count_once(tmp_path: Path) -> None:
    types = dict.fromkeys(("promptTokens", "prompt_tokens"), "number")
    (exchange,) = list_exchanges(tmp_path / "lake", types, {"promptTokens": 5, "prompt_tokens": 5})
    assert exchange["input_tokens"] == 5.0


def test_the_exact_name_is_read_whatever_its_type(tmp_path: Path) -> None:
    (exchange,) = list_exchanges(tmp_path / "lake", {"output_tokens": "constant"}, {"output_tokens": 7})
    assert exchange["output_tokens"] == 7.0
