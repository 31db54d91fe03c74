"""Upgrades of a data folder, one step from each format version to the next.

A step may be repeated: it leaves alone what is upgraded already, and copes with files of any earlier version. To change
the format, append a step to ``UPGRADES`` and add a data folder of the version before to the test fixtures.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.storage.warehouse import Warehouse, open_read_only


def add_run_numbers(root: Path) -> None:
    """0 to 1: number the runs of the published file in publication order, and give journey steps a sequence_id."""
    _add_columns(root)


def read_numbers_again(root: Path) -> None:
    """1 to 2: let the next run extract all metadata values again, and mark no published field as uncertain.

    Values that were extracted before have no number where it is written like .5, 1,234 or 12 %.
    """
    for file in (root / "lake" / "parts").glob("*/values-*.parquet"):
        remove(file)
    _add_columns(root)


def _add_columns(root: Path) -> None:
    """Add the columns that the published file lacks."""
    warehouse = Warehouse(root / "warehouse")
    if not warehouse.published.exists():
        return
    with open_read_only(warehouse.published) as connection:
        statements = list(_missing_statements(connection))
        last = connection.execute(_LAST_RUN).fetchall() if statements else []
    if not last:
        return
    build = temp_path(warehouse.folder / "upgrade.duckdb")
    try:
        shutil.copyfile(warehouse.published, build)
        with duckdb.connect(str(build)) as connection:
            for statement in (*statements, "checkpoint"):
                connection.execute(statement)
        ((run_count, run_id),) = last
        warehouse.publish(build, run_count, run_id)
    finally:
        remove(build)
        remove(build.with_name(f"{build.name}.wal"))


def _missing_statements(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The statements that add the columns which the file lacks; none if it has no runs."""
    columns = dict(connection.execute(_COLUMNS).fetchall())
    if "pipeline_runs" not in columns:
        return
    for table, column, statements in _ADDED_COLUMNS:
        if table in columns and column not in columns[table]:
            yield from statements


_COLUMNS = """
select table_name, list(column_name) from information_schema.columns where table_schema = 'marts' group by table_name
"""

# rows of pipeline_runs were appended run by run, so their order holds also if the clock of a run was wrong
_LAST_RUN = "select count(*), arg_max(run_id, rowid) from marts.pipeline_runs having count(*) > 0"

_ADDED_COLUMNS = (
    (
        "pipeline_runs",
        "run_number",
        (
            "alter table marts.pipeline_runs add column run_number bigint",
            """update marts.pipeline_runs as runs set run_number = numbered.run_number
            from (select run_id, row_number() over (order by rowid) as run_number from marts.pipeline_runs) as numbered
            where numbered.run_id = runs.run_id""",
        ),
    ),
    (
        "topic_runs",
        "run_number",
        (
            "alter table marts.topic_runs add column run_number bigint",
            """update marts.topic_runs as topics set run_number = coalesce(
                (select run_number from marts.pipeline_runs as runs where runs.run_id = topics.run_id),
                (select min(run_number) from marts.pipeline_runs as runs where runs.published_at >= topics.started_at),
                (select max(run_number) from marts.pipeline_runs))""",
        ),
    ),
    (
        "fields",
        "is_uncertain",
        (
            "alter table marts.fields add column is_uncertain boolean",
            "update marts.fields set is_uncertain = false",
        ),
    ),
    (
        "journey_steps",
        "sequence_id",
        (
            "alter table marts.journey_steps add column sequence_id varchar",
            """update marts.journey_steps set sequence_id = session_id,
                session_id = if(starts_with(dimension, 'user:'), null, session_id)""",
        ),
    ),
    ("events", "nanosecond", ("alter table marts.events add column nanosecond bigint default 0",)),
)

UPGRADES: tuple[Callable[[Path], None], ...] = (add_run_numbers, read_numbers_again)
