"""The contract check: columns, types and nulls of each built table. Its key is a dbt test."""

import duckdb

from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES, PUBLISHED_LAST, Table

BUILT_TABLES = [table for table in MART_TABLES.values() if table not in PUBLISHED_LAST]
"""The tables that dbt builds; publishing adds the others."""


def find_breaches(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """Differences between a built table and its contract, one sentence each."""
    found = dict(
        connection.execute(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'marts' and table_name = ? order by ordinal_position",
            [table.name],
        ).fetchall()
    )
    if not found:
        return [f"The table marts.{table.name} is missing."]
    wanted = {column.name: DUCKDB_TYPES[column.kind] for column in table.columns}
    breaches = [
        f"Column {name} is {found.get(name, 'missing')} instead of {kind}."
        for name, kind in wanted.items()
        if found.get(name) != kind
    ]
    return breaches or _find_nulls(connection, table)


def _find_nulls(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    required = [column.name for column in table.columns if not column.nullable]
    counts = ", ".join(f"count(*) filter ({name} is null)" for name in required)
    (nulls,) = connection.execute(f"select {counts} from marts.{table.name}").fetchall()
    return [
        f"Column {name} is null in {count:,} row{'' if count == 1 else 's'}."
        for name, count in zip(required, nulls, strict=True)
        if count
    ]
