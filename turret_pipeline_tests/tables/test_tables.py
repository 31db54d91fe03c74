"""The table contracts."""

import polars as pl
import pytest

from turret_pipeline.tables import DUCKDB_TYPES, EVENTS, LAKE_EVENTS, LAKE_TABLES, MART_TABLES, POLARS_TYPES, Table
from turret_pipeline.tables.events import METADATA

TABLES = [
    *(pytest.param(table, id=f"lake.{name}") for name, table in LAKE_TABLES.items()),
    *(pytest.param(table, id=f"marts.{name}") for name, table in MART_TABLES.items()),
]


@pytest.mark.parametrize("table", TABLES)
def test_every_grain_begins_with_one_row_per(table: Table) -> None:
    assert table.grain.startswith("One row per ")
    assert table.grain.endswith(".")


@pytest.mark.parametrize("table", TABLES)
def test_every_key_is_among_the_columns_and_its_first_is_never_null(table: Table) -> None:
    nullable = {column.name: column.nullable for column in table.columns}
    assert set(table.key) <= set(nullable)
    assert nullable[table.key[0]] is False


@pytest.mark.parametrize("table", TABLES)
def test_column_names_are_unique_and_meanings_are_not_empty(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert all(column.meaning.strip() for column in table.columns)


@pytest.mark.parametrize("table", TABLES)
def test_column_names_match_their_types(table: Table) -> None:
    endings = {"_at": "timestamp", "_date": "date", "_count": "integer", "_number": "integer", "_share": "number"}
    for column in table.columns:
        for ending, kind in endings.items():
            if column.name.endswith(ending):
                assert column.kind == kind, column.name
        if column.name.startswith(("is_", "has_")):
            assert column.kind == "boolean", column.name


@pytest.mark.parametrize("table", TABLES)
def test_a_table_without_rows_has_its_columns_and_types(table: Table) -> None:
    empty = table.empty()
    assert empty.height == 0
    assert empty.schema == table.schema
    assert empty.columns == [column.name for column in table.columns]


def test_tables_are_listed_by_their_names() -> None:
    for tables in (LAKE_TABLES, MART_TABLES):
        assert {name: table.name for name, table in tables.items()} == {name: name for name in tables}


def test_every_kind_of_column_has_a_type_in_both_engines() -> None:
    assert POLARS_TYPES.keys() == DUCKDB_TYPES.keys()
    assert POLARS_TYPES["timestamp"] == pl.Datetime("us", "UTC")


def test_a_table_in_the_lake_and_in_the_marts_has_one_contract() -> None:
    shared = LAKE_TABLES.keys() & MART_TABLES.keys()
    marts = {name: MART_TABLES[name] for name in shared}
    marts["events"] = LAKE_EVENTS
    assert {name: LAKE_TABLES[name] for name in shared} == marts
    assert [column for column in EVENTS.columns if column not in LAKE_EVENTS.columns] == [METADATA]
