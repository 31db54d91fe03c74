"""Asset specs from the table contracts (description, columns, group, kinds, owner), and results with metadata."""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg
import polars as pl

from turret_pipeline.escaping import escape_line, escape_markdown
from turret_pipeline.tables import DUCKDB_TYPES, LAKE_TABLES, MART_TABLES, Table

OWNERS = ["team:data"]
SHOWN = 10
"""Rows of the tables in metadata that show the largest of something."""

MAX_ROWS, MAX_CHARACTERS, MAX_CELL_CHARACTERS = 50, 2_000, 200
"""Limits of metadata, which Dagster keeps for every run: rows of a table or list, and characters of a text or cell."""


def lake_key(table: str) -> dg.AssetKey:
    """Asset key of a table in the lake."""
    return dg.AssetKey(["lake", table])


def mart_key(table: str) -> dg.AssetKey:
    """Asset key of a table in the warehouse."""
    return dg.AssetKey(["marts", table])


def column_schema(table: Table) -> dg.TableSchema:
    """The contract's columns as a Dagster table schema."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                DUCKDB_TYPES[column.kind],
                description=column.meaning,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def lake_metadata(table: Table) -> dict[str, object]:
    """Columns and storage of a Parquet table."""
    return {"dagster/column_schema": column_schema(table), "dagster/storage_kind": "parquet"}


def mart_metadata(table: Table) -> dict[str, object]:
    """Columns and storage of a warehouse table, and its name in the published file."""
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/storage_kind": "duckdb",
        "dagster/table_name": f"turret.marts.{table.name}",
    }


def lake_spec(table: str, group: str, deps: Iterable[str] = (), *, skippable: bool = False) -> dg.AssetSpec:
    """Spec of a Parquet table. A skippable one may stay unchanged; then its downstream assets are skipped."""
    contract = LAKE_TABLES[table]
    return dg.AssetSpec(
        lake_key(table),
        description=contract.grain,
        deps=[lake_key(dep) for dep in deps],
        group_name=group,
        owners=OWNERS,
        kinds={"polars", "parquet"},
        metadata=lake_metadata(contract),
        skippable=skippable,
    )


def mart_spec(table: str, group: str, deps: Iterable[dg.AssetKey]) -> dg.AssetSpec:
    """Spec of a warehouse table that dbt does not build."""
    contract = MART_TABLES[table]
    return dg.AssetSpec(
        mart_key(table),
        description=contract.grain,
        deps=deps,
        group_name=group,
        owners=OWNERS,
        kinds={"duckdb"},
        metadata=mart_metadata(contract),
    )


def result(table: str, rows: pl.DataFrame | int, **metadata: object) -> dg.MaterializeResult[None]:
    """Materialization of a lake table with its row count and further metadata.

    ``rows`` is the table or its row count. Frames in ``metadata`` become Markdown tables.
    """
    height = rows if isinstance(rows, int) else rows.height
    return dg.MaterializeResult(
        asset_key=lake_key(table),
        metadata={"dagster/row_count": height, **{k: _to_metadata(v) for k, v in metadata.items()}},
    )


def _to_metadata(value: object) -> dg.MetadataValue[Any]:
    if isinstance(value, dg.MetadataValue):
        return value
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(round(value, 4))
    if isinstance(value, pl.DataFrame):
        return dg.MetadataValue.md(to_markdown(value))
    return dg.MetadataValue.text(escape_line(_cut(str(value), MAX_CHARACTERS)))


def escape_description(result: dg.AssetCheckResult) -> dg.AssetCheckResult:
    """The result of a check with a description that Dagster, which reads it as Markdown, shows as it is."""
    return result._replace(description=result.description and escape_markdown(result.description))


def to_markdown(frame: pl.DataFrame) -> str:
    """The first MAX_ROWS rows of a frame as a Markdown table, with the number of further rows."""
    rows = [frame.columns, *frame.head(MAX_ROWS).iter_rows()]
    head, *body = ["| " + " | ".join(_format_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * frame.width, *body, *_count_further(frame.height, "rows")])


def to_markdown_list(title: str, lines: Sequence[str]) -> str:
    """The first MAX_ROWS lines as a Markdown list below a title, with the number of further lines."""
    items = [f"- {_format_cell(line)}" for line in lines[:MAX_ROWS]]
    return "\n".join([f"{_format_cell(title)}:", "", *items, *_count_further(len(lines), "lines")])


def _count_further(count: int, kind: str) -> list[str]:
    return ["", f"and {count - MAX_ROWS:,} more {kind}"] if count > MAX_ROWS else []


def _format_cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else escape_markdown(_cut(str(value), MAX_CELL_CHARACTERS))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
