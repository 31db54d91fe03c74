"""Upgrades of a data folder, one step from each format version to the next.

A step may be repeated after a kill: it leaves alone what it has already upgraded. To change the format, append a step
to ``UPGRADES`` and add a data folder of the version before to the test fixtures.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from turret_pipeline.storage.atomic_files import atomic_replace, remove, temp_path
from turret_pipeline.storage.warehouse import Warehouse, open_read_only


def add_run_numbers(root: Path) -> None:
    """0 to 1: number the runs in the published file and in the topic states, in the order of their times so far."""
    for file in (*root.glob("state/*/topic_runs.parquet"), root / "lake" / "topic_runs.parquet"):
        if file.exists():
            _number_topic_runs(file)
    warehouse = Warehouse(root / "warehouse")
    if warehouse.published.exists():
        _number_published_runs(warehouse)


def _number_topic_runs(file: Path) -> None:
    runs = pl.read_parquet(file, glob=False)
    if "run_number" in runs.columns:
        return
    number = pl.struct("started_at", "run_id").rank("dense").cast(pl.Int64).alias("run_number")
    with atomic_replace(file) as temp:
        runs.with_columns(number).write_parquet(temp)


def _number_published_runs(warehouse: Warehouse) -> None:
    with open_read_only(warehouse.published) as connection:
        columns = {name for (name,) in connection.execute(_COLUMNS).fetchall()}
        if not columns or "run_number" in columns:
            return  # not a file of ours, or upgraded before
        runs = connection.execute("select run_id from marts.pipeline_runs order by published_at, run_id").fetchall()
    if not runs:
        return
    build = temp_path(warehouse.folder / "upgrade.duckdb")
    try:
        shutil.copyfile(warehouse.published, build)
        with duckdb.connect(str(build)) as connection:
            for statement in _ADD_RUN_NUMBERS:
                connection.execute(statement)
        warehouse.publish(build, len(runs), runs[-1][0])
    finally:
        remove(build)


_COLUMNS = (
    "select column_name from information_schema.columns where table_schema = 'marts' and table_name = 'pipeline_runs'"
)

_ADD_RUN_NUMBERS = (
    """create or replace table marts.pipeline_runs as
    select run_id, row_number() over (order by published_at, run_id) as run_number, * exclude (run_id)
    from marts.pipeline_runs order by run_number""",
    """create or replace table marts.topic_runs as
    select run_id, dense_rank() over (order by started_at, run_id) as run_number, * exclude (run_id)
    from marts.topic_runs order by run_number, field""",
    """create or replace table marts.journey_steps as
    select dimension, if(starts_with(dimension, 'user:'), null, session_id) as session_id,
        session_id as sequence_id, * exclude (dimension, session_id)
    from marts.journey_steps""",
    "checkpoint",
)

UPGRADES: tuple[Callable[[Path], None], ...] = (add_run_numbers,)
