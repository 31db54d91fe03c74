"""SQL on the published file of a data folder, to check what pages show, and tables that pages offer as JSON."""

from pathlib import Path
from typing import Any

import duckdb
import httpx

from turret_pipeline.storage.data_dir import DataDir


def query(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the published file."""
    with duckdb.connect(str(DataDir(folder).warehouse.published), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(sql, list(values)).fetchall()


def get_page(url: str) -> httpx.Response:
    """The answer of the dashboard, however long a busy machine takes."""
    return httpx.get(url, timeout=60)


def read_table(dashboard: str, path: str, table: str) -> list[dict[str, Any]]:
    """Rows of a table of a page of the project sample."""
    mark = "&" if "?" in path else "?"
    rows: list[dict[str, Any]] = (
        get_page(f"{dashboard}/sample{'/' if path else ''}{path}{mark}format=json&table={table}")
        .raise_for_status()
        .json()
    )
    return rows
