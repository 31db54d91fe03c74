"""The examples of mappings in the documentation, read as files."""

import datetime as dt
import io
import itertools
import tomllib
from typing import Any

import orjson

from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline.events.parsing import ParseOptions, parse_block
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline_tests.docs.pages import list_blocks

PAGE = "docs/how-to/own-events.md"
SUFFIXES = {"text": "csv", "json": "json"}


def read_examples() -> list[list[tuple[Any, ...]]]:
    """Events of each example: a block of rows that a mapping follows."""
    blocks = list_blocks(PAGE)
    pairs = [(rows, toml) for rows, toml in itertools.pairwise(blocks) if toml.language == "toml"]
    return [
        read_events(
            rows.code, SUFFIXES[rows.language], ColumnMapping.model_validate(tomllib.loads(toml.code)["mapping"])
        )
        for rows, toml in pairs
        if rows.language in SUFFIXES
    ]


def read_events(rows: str, suffix: str, mapping: ColumnMapping) -> list[tuple[Any, ...]]:
    """Name, id, session, user, time and metadata of the events of a file."""
    options = ParseOptions(selected_format=mapping.to_format())
    (block,) = read_blocks(io.BytesIO(rows.encode()), f"rows.{suffix}")
    parsed = parse_block(block, options)
    assert parsed.rejected.rows() == []
    columns = ("event_name", "event_id", "session_id", "user_id", "event_at")
    return [(*row[:-1], orjson.loads(row[-1])) for row in parsed.events.select(*columns, "metadata").iter_rows()]


def at(minute: int, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 3, 2, 9, minute, second, tzinfo=dt.UTC)


def event(name: str, event_id: str, time: dt.datetime, **metadata: object) -> tuple[Any, ...]:
    return (name, event_id, "s-1", "u-1", time, metadata)


def test_the_examples_become_the_events_that_the_page_describes() -> None:
    table, nested, transcript = read_examples()
    asked = {"model": "small-1"}
    assert table == [
        event("User prompt", "c-1-prompt", at(15), **asked, input_tokens="12", prompt="How do I reset my password?"),
        event(
            "AI generation",
            "c-1-generation",
            at(15, 2),
            **asked,
            generation="Open Settings.",
            is_error=False,
            latency_seconds=2.0,
        ),
        event("User prompt", "c-2-prompt", at(16), **asked, input_tokens="4", prompt="And my PIN?"),
        event(
            "AI generation",
            "c-2-generation",
            at(16, 1),
            **asked,
            generation="In the app.",
            is_error=False,
            latency_seconds=1.0,
        ),
    ]
    rest: dict[str, Any] = {"meta": {"person": {}}, "body": {}, "result": {}}
    later = at(15) + dt.timedelta(seconds=0.9)
    assert nested == [
        event("User prompt", "c-7-prompt", at(15), **rest, prompt="And my PIN?"),
        event(
            "AI generation",
            "c-7-generation",
            later,
            **rest,
            generation="In the app.",
            finish_reason="stop",
            latency_seconds=0.9,
        ),
    ]
    assert [(name, *others) for name, _, *others in transcript] == [
        ("User prompt", "s-1", "u-1", at(15), {"prompt": "How do I reset my password?"}),
        ("AI generation", "s-1", "u-1", at(15, 20), {"generation": "Open Settings."}),
    ]
