"""Great Expectations gives the same verdicts on the deciding rows as on the whole table."""

import datetime as dt
import re
from collections.abc import Iterator

import duckdb
import polars as pl
import pytest

from turret_pipeline.quality.contracts import BUILT_TABLES
from turret_pipeline.quality.expectations import Validator, Verdict, check_values
from turret_pipeline.quality.extremes import checked_columns, read_extremes
from turret_pipeline.quality.rules import Order, Range, Unique, build_rules
from turret_pipeline.tables import POLARS_TYPES, Column, Table

NAN, INF = float("nan"), float("inf")
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(seconds=1)
RANGES = [
    pytest.param("number", Range("value", 0, 1 + 1e-9), values, id=f"range {values}")
    for values in (
        [0.0, 0.5, 1.0],
        [0.0, 1 + 1e-10],
        [0.0, 1 + 1e-8],
        [-0.001, 0.5, 0.5],
        [0.5, None, 0.5],
        [None, None],
        [0.5, NAN],
        [NAN, 2.0, None],
        [INF, 0.1],
        [-INF, NAN],
        [],
    )
] + [
    pytest.param("integer", Range("value", 1), values, id=f"at least {values}")
    for values in ([1, 2, 3], [3, 0, 2], [None, 1], [None, -5], [None])
]
ORDERS = [
    pytest.param("number", rows, id=f"order {rows}")
    for rows in (
        [(1.0, 1.0), (2.0, 1.0)],
        [(2.0, 1.0), (1.0, 2.0)],
        [(None, 1.0), (1.0, None)],
        [(NAN, 1.0), (1.0, NAN)],
        [(1.0, NAN), (1.0, 2.0)],
        [(INF, INF)],
        [(0.0, 5.0), (5.0, 0.0)],
        [],
    )
] + [
    pytest.param("timestamp", rows, id=f"times {rows}")
    for rows in ([(LATER, NOON), (NOON, NOON)], [(NOON, LATER), (LATER, NOON)])
]
UNIQUES = [
    pytest.param(rows, id=f"unique {rows}")
    for rows in (
        [("a", "x"), ("a", "y"), ("b", "x")],
        [("a", "x"), ("b", "x"), ("a", "x")],
        [("a", "x"), ("b", "y"), ("b", "y"), ("b", "y")],
        [(None, "x"), (None, "x")],
        [(None, None), (None, None)],
        [],
    )
]


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        yield connection


def verdicts(
    validator: Validator, connection: duckdb.DuckDBPyConnection, rule: Range | Order | Unique, frame: pl.DataFrame
) -> tuple[bool, bool, int]:
    """The verdict on the whole table, the verdict on its deciding rows, and the number of rows that break the rule."""
    kinds = {kind: name for name, kind in POLARS_TYPES.items()}
    columns = tuple(Column(name, kinds[kind], "Planted", nullable=True) for name, kind in frame.schema.items())
    table = Table("planted", "One row per row.", ("value",), columns)
    connection.register("frame", frame.to_arrow())
    connection.execute("create table marts.planted as from frame")
    extremes = read_extremes(connection, table, [rule])
    (whole,) = validator.validate([(rule, frame)])
    (few,) = validator.validate([(rule, extremes.rows)])
    return whole, few, extremes.violation_counts[0]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "rule", "values"), RANGES)
def test_a_range_is_judged_as_on_the_whole_table(
    validator: Validator, connection: duckdb.DuckDBPyConnection, kind: str, rule: Range, values: list[float | None]
) -> None:
    frame = pl.DataFrame({"value": values}, {"value": POLARS_TYPES[kind]})  # type: ignore[index]
    whole, few, violations = verdicts(validator, connection, rule, frame)
    outside = [value for value in values if value is not None and (value < rule.low or value > (rule.high or INF))]
    assert (whole, few, violations) == (not outside, not outside, len(outside))


@pytest.mark.parametrize(("kind", "rows"), ORDERS)
def test_an_order_is_judged_as_on_the_whole_table(
    validator: Validator, connection: duckdb.DuckDBPyConnection, kind: str, rows: list[tuple[float | None, ...]]
) -> None:
    schema = {"value": POLARS_TYPES[kind], "other": POLARS_TYPES[kind]}  # type: ignore[index]
    frame = pl.DataFrame(rows, schema, orient="row")
    whole, few, violations = verdicts(validator, connection, Order("value", "other"), frame)
    wrong = sum(first is not None and second is not None and first < second for first, second in rows)
    assert (whole, few, violations) == (not wrong, not wrong, wrong)


@pytest.mark.parametrize("rows", UNIQUES)
def test_uniqueness_is_judged_as_on_the_whole_table(
    validator: Validator, connection: duckdb.DuckDBPyConnection, rows: list[tuple[str | None, ...]]
) -> None:
    frame = pl.DataFrame(rows, {"value": pl.String(), "other": pl.String()}, orient="row")
    whole, few, violations = verdicts(validator, connection, Unique(("value", "other")), frame)
    known = [row for row in rows if row != (None, None)]
    repeated = sum(known.count(row) > 1 for row in known)
    assert (whole, few, violations) == (not repeated, not repeated, repeated)


def test_only_the_deciding_rows_of_a_long_table_are_read(connection: duckdb.DuckDBPyConnection) -> None:
    columns = (Column("value_share", "number", "Share"), Column("event_count", "integer", "Events"))
    table = Table("long", "One row per row.", ("event_count",), columns)
    connection.execute(
        "create table marts.long as select i / 100000 as value_share, i + 1 as event_count from range(100000) as t(i)"
    )
    extremes = read_extremes(connection, table, build_rules(table))
    assert extremes.rows.sort("event_count").rows() == [(0.0, 1), (0.99999, 100_000)]
    assert (extremes.row_count, extremes.found) == (100_000, ["0 to 0.99999", "1 to 100,000"])


def test_a_failed_rule_names_the_column_the_rows_and_the_values_found(connection: duckdb.DuckDBPyConnection) -> None:
    topics = next(table for table in BUILT_TABLES if table.name == "topic_days")
    empty = topics.empty()
    connection.register("empty", empty.to_arrow())
    connection.execute("create table marts.topic_days as from empty")
    connection.execute(
        "insert into marts.topic_days values ('prompt', 'prompt-1', '2026-01-01', 4, 2, 1, 0.5), "
        "('prompt', 'prompt-2', '2026-01-01', 1, 2, 1, 1.5)"
    )
    ((table, found),) = check_values(connection, [topics])
    assert table == topics
    assert [str(verdict) for verdict in found if not verdict.is_passed] == [
        "event_share is between 0 and 1: violated in 1 of 2 rows (values: 0.5 to 1.5)",
        "event_count is at least session_count: violated in 1 of 2 rows",
    ]
    assert Verdict("event_count is at least 0", True, 0, 2, "1 to 4") in found


def test_every_built_table_has_rules_and_none_reads_the_texts_of_users() -> None:
    texts = re.compile("text$|^metadata$|^description$|^example_texts$|^keywords$|^value$|^path$|^reason")
    for table in BUILT_TABLES:
        numbers = [column for column in table.columns if column.kind in {"integer", "number"}]
        assert build_rules(table) or not numbers or table.name == "exchange_values", (
            "its numbers are those of the input"
        )
        assert not [name for name in checked_columns(table, build_rules(table)) if texts.search(name)]
