"""The history of runs in the data folder's Dagster home, limited to the latest ones."""

import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import remove

SQLITE_SECONDS = 30
"""Time to wait for a Dagster UI that has a file of the history open."""

FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def prune_run_history(instance: dg.DagsterInstance, home: Path, kept: int) -> None:
    """Delete all finished runs in ``home`` with their events and logs, except the latest ``kept``.

    Does nothing for another Dagster home, which may hold runs of other projects. Table pipeline_runs is not affected.
    """
    if Path(instance.root_directory) != home:
        return
    try:
        finished = instance.get_run_records(RunsFilter(statuses=FINISHED))  # latest first
    except Exception:  # noqa: BLE001 - a damaged record must not stop runs, which do not need the history
        return
    for run_id in (record.dagster_run.run_id for record in finished[kept:]):
        instance.delete_run(run_id)
        remove(home / "history" / "runs" / f"{run_id}.db")  # Dagster empties its tables, but leaves the file
        remove(home / "storage" / run_id)
    _delete_check_results(home / "history" / "runs" / "index.db", [run.run_id for run in instance.get_runs()])


def _delete_check_results(database: Path, run_ids: list[str]) -> None:
    """Delete the results of asset checks of all runs but these: Dagster keeps them for ever."""
    if database.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(database, timeout=SQLITE_SECONDS)) as connection:
            query = "delete from asset_check_executions where run_id not in (select value from json_each(?))"
            connection.execute(query, [json.dumps(run_ids)])
            connection.commit()


def erase_run_history(home: Path, run_id: str) -> None:
    """Delete everything in ``home`` about finished runs other than ``run_id``, and the bytes of it from the files.

    Metadata and logs of runs quote texts. The tables are emptied in place, because a Dagster UI may have them open.
    """
    kept = {run_id, *_list_active_runs(home / "history" / "runs.db")}
    _erase_rows(home / "history" / "runs.db", _OTHER_RUNS, kept)
    _erase_rows(home / "history" / "runs" / "index.db", _OTHER_EVENTS, kept)
    _erase_rows(home / "schedules" / "schedules.db", ("delete from job_ticks",), kept)
    for path in [*(home / "history" / "runs").glob("*.db*"), *(home / "storage").glob("*")]:
        if path.name.split(".")[0] not in {"index", *kept}:
            remove(path)


_IS_OTHER = "run_id not in (select value from json_each(?))"
_OTHER_RUNS = (f"delete from run_tags where {_IS_OTHER}", f"delete from runs where {_IS_OTHER}")
_OTHER_EVENTS = (
    f"delete from event_logs where {_IS_OTHER}",
    "delete from asset_event_tags",
    "update asset_keys set last_materialization = null, cached_status_data = null, asset_details = null, "
    f"last_run_id = null where last_run_id is null or last_{_IS_OTHER}",
    f"delete from asset_check_executions where {_IS_OTHER}",
)


def _list_active_runs(database: Path) -> set[str]:
    if not database.exists():
        return set()
    names = json.dumps([status.value for status in FINISHED])
    with closing(sqlite3.connect(database, timeout=SQLITE_SECONDS)) as connection:
        query = "select run_id from runs where status not in (select value from json_each(?))"
        return {run_id for (run_id,) in connection.execute(query, [names])}


def _erase_rows(database: Path, statements: tuple[str, ...], kept: set[str]) -> None:
    """Run the statements about tables that exist, and rewrite the file without the space of what was deleted."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database, timeout=SQLITE_SECONDS, isolation_level=None)) as connection:
            known = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
            for statement in statements:
                if set(statement.split()) & known:
                    parameters = [json.dumps(sorted(kept))] if "?" in statement else []
                    connection.execute(statement, parameters)
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
    except sqlite3.OperationalError as error:
        raise TurretError(
            f"The run history {database} cannot be erased: {error}. Stop turret ui, and run again: the erasure "
            "continues."
        ) from None
