"""Asset specs from the table contracts: description, columns, group, kinds and owner are said once."""

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
    """The contract's columns in Dagster's words."""
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


def lake_spec(table: str, group: str, deps: Iterable[str] = (), *, skippable: bool = False) -> dg.AssetSpec:
    """Spec of a Parquet table; a skippable one may stay as it is, and then nothing after it is made anew."""
    contract = LAKE_TABLES[table]
    return dg.AssetSpec(
        lake_key(table),
        description=contract.grain,
        deps=[lake_key(dep) for dep in deps],
        group_name=group,
        owners=OWNERS,
        kinds={"polars", "parquet"},
        metadata={"dagster/column_schema": column_schema(contract)},
        skippable=skippable,
    )


def mart_spec(table: str, group: str, deps: Iterable[dg.AssetKey]) -> dg.AssetSpec:
    """Spec of a warehouse table that is not made by dbt."""
    contract = MART_TABLES[table]
    return dg.AssetSpec(
        mart_key(table),
        description=contract.grain,
        deps=deps,
        group_name=group,
        owners=OWNERS,
        kinds={"duckdb"},
        metadata={"dagster/column_schema": column_schema(contract)},
    )


def result(table: str, rows: pl.DataFrame | int, **metadata: object) -> dg.MaterializeResult[None]:
    """What a lake table's asset reports: its rows, or how many they are, and what else a person would ask for."""
    height = rows if isinstance(rows, int) else rows.height
    return dg.MaterializeResult(
        asset_key=lake_key(table),
        metadata={"dagster/row_count": height, **{k: _shown(v) for k, v in metadata.items()}},
    )


def _shown(value: object) -> dg.MetadataValue[Any]:
    if isinstance(value, dg.MetadataValue):
        return value
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(round(value, 4))
    if isinstance(value, pl.DataFrame):
        return dg.MetadataValue.md(markdown(value))
    return dg.MetadataValue.text(str(value))


def markdown(frame: pl.DataFrame) -> str:
    """A frame as a Markdown table."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * frame.width]
    lines.extend("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in frame.iter_rows())
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")
