"""Asset specs from the table contracts: description, columns, group, kinds and owner."""

from collections.abc import Iterable
from typing import Any

import dagster as dg
import polars as pl

from turret_pipeline.tables import DUCKDB_TYPES, LAKE_TABLES, MART_TABLES, Table

OWNERS = ["team:data"]


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
    return dg.MetadataValue.text(str(value))


def to_markdown(frame: pl.DataFrame) -> str:
    """A frame as a Markdown table."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * frame.width]
    lines.extend("| " + " | ".join(_format_cell(cell) for cell in row) + " |" for row in frame.iter_rows())
    return "\n".join(lines)


def _format_cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")
