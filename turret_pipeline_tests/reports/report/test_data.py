"""Rows of a report, read from a small published file."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl
import pytest

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.data import ReportData, read_report_data
from turret_pipeline.reports.scope import Scope
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.numbered_tables import write_numbered_tables
from turret_pipeline.tables import MART_TABLES
from turret_pipeline_tests.commands import warehouse

Row = Mapping[str, object]


def read(data_dir: Path, **tables: Sequence[Row]) -> ReportData:
    """The rows of a report on a published file with these rows; other tables are empty, other columns null."""
    warehouse(data_dir).parent.mkdir(parents=True)
    with duckdb.connect(str(warehouse(data_dir))) as connection:
        connection.execute("create schema marts")
        for name, table in MART_TABLES.items():
            connection.register("frame", pl.DataFrame(tables.get(name, []), table.schema).to_arrow())
            connection.execute(f"create table marts.{name} as from frame")
            connection.unregister("frame")
        write_numbered_tables(connection)
    return read_report_data(PublishedTables(DataDir(data_dir), 1), Scope(), "UTC")


def at(hour: int) -> dt.datetime:
    """An hour of a day."""
    return dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC)


def list_runs(*hours: tuple[int, int]) -> list[Row]:
    """Runs that started and published at these hours, numbered from 1."""
    return [
        {"run_id": str(number), "run_number": number, "started_at": at(started), "published_at": at(published)}
        for number, (started, published) in enumerate(hours, 1)
    ]


FILES: list[Row] = [
    {"content_sha256": "of the first run", "ingested_at": at(1)},
    {"content_sha256": "of an interrupted run", "ingested_at": at(4)},
    {"content_sha256": "of the last run", "ingested_at": at(7)},
]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (list_runs((0, 2)), set()),
        (list_runs((0, 2), (6, 8)), {"of an interrupted run", "of the last run"}),
        (list_runs((0, 2), (3, 5), (6, 8)), {"of the last run"}),
        (list_runs((0, 2), (6, 8), (9, 10)), set()),
        (list(reversed(list_runs((0, 2), (6, 8)))), {"of an interrupted run", "of the last run"}),
    ],
)
def test_new_files_are_those_that_the_previous_published_run_had_not_read(
    tmp_path: Path, runs: list[Row], expected: set[str]
) -> None:
    data = read(tmp_path, pipeline_runs=runs, source_files=FILES)

    assert set(data.new_files["content_sha256"]) == expected
    assert data.is_later_run == (len(runs) > 1)


def test_numbers_of_prompts_become_halves_beside_values(tmp_path: Path) -> None:
    exchanges = [{"exchange_id": str(one), "prompt_event_id": str(one), "session_id": "s"} for one in range(4)]
    values: list[Row] = [
        {"exchange_id": str(one), "field": "chars", "side": "prompt", "number_value": 1_234_567.0 + one}
        for one in range(4)
    ]
    plan = {"exchange_id": "0", "field": "plan", "side": "prompt", "text_value": "free"}
    data = read(
        tmp_path,
        sessions=[{"session_id": "s"}],
        events=[{"event_id": str(one), "session_id": "s"} for one in range(4)],
        exchanges=exchanges,
        exchange_values=[*values, plan],
    )

    found = data.segments.sort("segment_field", "exchange_id").rows()

    assert found == [
        (0, "chars", "up to 1,234,568", "number"),
        (1, "chars", "up to 1,234,568", "number"),
        (2, "chars", "over 1,234,568", "number"),
        (3, "chars", "over 1,234,568", "number"),
        (0, "plan", "free", "prompt"),
    ]


def test_exchanges_have_their_signals(tmp_path: Path) -> None:
    data = read(
        tmp_path,
        sessions=[{"session_id": "s"}],
        events=[{"event_id": one, "session_id": "s"} for one in "ab"],
        exchanges=[{"exchange_id": one, "prompt_event_id": one, "session_id": "s"} for one in "ab"],
        exchange_signals=[{"exchange_id": "b", "is_declined": True, "is_struggle": True}],
    )
    signals = data.exchanges.sort("exchange_id").select("is_declined", "is_corrected", "is_struggle")
    assert signals.rows() == [(None, None, None), (True, None, True)]
