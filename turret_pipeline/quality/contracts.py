"""The contract check: columns, types, nulls and key of each built table."""

import duckdb

from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES, Table

BUILT_TABLES = [table for name, table in MART_TABLES.items() if name not in {"quality_checks", "pipeline_runs"}]
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
    if breaches:
        return breaches
    for column in table.columns:
        nulls = 0 if column.nullable else _query_count(connection, f"count(*) filter ({column.name} is null)", table)
        if nulls:
            breaches.append(f"Column {column.name} is null in {nulls:,} rows.")
    repeated = _query_count(connection, f"count(*) - count(distinct ({', '.join(table.key)}))", table)
    if repeated:
        breaches.append(f"The key ({', '.join(table.key)}) is repeated in {repeated:,} rows.")
    return breaches


def _query_count(connection: duckdb.DuckDBPyConnection, expression: str, table: Table) -> int:
    return int(connection.execute(f"select {expression} from marts.{table.name}").fetchall()[0][0])
