"""Commands, files and events for tests of whole runs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from turret_pipeline.tables import MART_TABLES
from turret_pipeline_tests.fork_server import OUTPUTS, has_server, start_turret

PROJECT = Path(__file__).resolve().parents[1]
SAMPLE = PROJECT / "data" / "sample"
BIN = Path(sys.executable).parent
HANGS_AFTER = 1800
"""Seconds after which a process is taken to hang. A whole job takes a minute, on a busy machine ten times as long."""

PARSED_DBT = PROJECT / ".pytest_cache" / "dbt"
"""The dbt project as an earlier run of the tests parsed it."""
PARSED_DBT_FOLDERS = (PARSED_DBT, PROJECT / "data" / "dbt")
"""The same, and the project as `make run` parsed it. The name of a file contains a hash of its project."""

DAGSTER_IN_MEMORY = """
event_log_storage: {module: turret_pipeline_tests.event_list, class: EventList}
compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}
"""

RUN_COLUMNS = {
    "source_files": ["ingested_at"],
    "field_type_changes": ["run_id", "changed_at"],
    "topic_lineage": ["run_id", "changed_at"],
    "topic_runs": ["run_id", "started_at"],
    "pipeline_runs": ["run_id", "started_at", "published_at", "topic_state_id"],
}
"""Columns by table that differ between two runs over the same input: ids and times of the run."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of this process without settings of turret, plus ``extra``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TURRET_")}
    return clean | {"HF_HUB_OFFLINE": "1", "DAGSTER_DISABLE_TELEMETRY": "true"} | dict(extra or {})


def installed_turret(
    *arguments: str | Path, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Result of the installed command `turret` with these arguments."""
    command = [str(BIN / "turret"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=PROJECT, env=environment(extra), timeout=HANGS_AFTER, check=False
    )


def turret(*arguments: str | Path, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Result of `turret` with these arguments; a run starts in a process with its libraries already imported.

    So do other commands once there was a run: to import the libraries takes longer than a few installed commands.
    """
    if not {"run", "refit"} & set(arguments[:2]):
        return _run_forked(arguments, extra) if has_server() else installed_turret(*arguments, extra=extra)
    data_dir = Path(arguments[arguments.index("--data-dir") + 1])
    prepare_data_dir(data_dir)
    try:
        return _run_forked(arguments, extra)
    finally:
        _copy_new_files(data_dir / "dbt", PARSED_DBT)


def prepare_data_dir(data_dir: Path) -> None:
    """Save a run half of its time: dbt's project is already parsed, and Dagster keeps neither events nor output."""
    copy_parsed_dbt(data_dir)
    settings = data_dir / "dagster" / "dagster.yaml"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(DAGSTER_IN_MEMORY)


def copy_parsed_dbt(data_dir: Path) -> None:
    """Give a data folder the dbt project as an earlier run of these tests, or `make run`, parsed it."""
    for folder in PARSED_DBT_FOLDERS:
        _copy_new_files(folder, data_dir / "dbt")


def _copy_new_files(source: Path, target: Path) -> None:
    """Copy the parsed dbt project unless it is there. Its name contains a hash of the project."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob("manifest-*"):
        if not (target / file.name).exists():
            shutil.copy(file, target / f"{file.name}.{os.getpid()}")
            (target / f"{file.name}.{os.getpid()}").replace(target / file.name)


def _run_forked(arguments: Sequence[str | Path], extra: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        process = start_turret(list(map(str, arguments)), environment(extra), PROJECT, Path(folder))
        process.join(HANGS_AFTER)
        code = process.exitcode
        if code is None:
            process.kill()
            raise subprocess.TimeoutExpired(process.name, HANGS_AFTER)
        stdout, stderr = (Path(folder, name).read_text() for name in OUTPUTS)
    return subprocess.CompletedProcess(arguments, code, stdout, stderr)


def run_job(data_dir: Path, *inputs: Path, extra: Mapping[str, str] | None = None) -> str:
    """Standard output of `turret run` on these inputs. Fails unless the run succeeds."""
    options = [part for path in inputs for part in ("--input", str(path))]
    done = turret("run", *options, "--data-dir", data_dir, extra=extra)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def warehouse(data_dir: Path) -> Path:
    """Path of the published file."""
    return data_dir / "warehouse" / "turret.duckdb"


@contextmanager
def open_published(data_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file, times in UTC."""
    with duckdb.connect(str(warehouse(data_dir)), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def published_tables(data_dir: Path) -> dict[str, pl.DataFrame]:
    """All published tables by name, rows in stored order, without RUN_COLUMNS."""
    tables = {}
    with open_published(data_dir) as connection:
        for name in MART_TABLES:
            frame: pl.DataFrame = connection.sql(f"select * from marts.{name}").pl()
            tables[name] = frame.drop(RUN_COLUMNS.get(name, []))
    return tables


def count(data_dir: Path, table: str) -> int:
    """Number of rows of a published table."""
    with open_published(data_dir) as connection:
        return int(connection.execute(f"select count(*) from marts.{table}").fetchall()[0][0])


def write_events(path: Path, events: Sequence[Mapping[str, object]]) -> Path:
    """Write events as a JSON lines file, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


_SUBJECTS = {
    "refund": ["my money back for the {}", "a refund for the broken {}", "to return the {} and be paid back"],
    "delivery": [
        "to know where the parcel with the {} is",
        "the {} delivered on Friday",
        "to track the delivery of the {}",
    ],
    "password": [
        "to reset my password on the {}",
        "a new password for the {}",
        "to log in to the {} again, password lost",
    ],
}
_THINGS = ["kettle", "chair", "lamp", "coat", "laptop", "phone", "table", "bicycle", "clock", "radio", "mirror", "oven"]


def conversations(first_session: int = 0, sessions: int = 36) -> list[dict[str, object]]:
    """Events of short conversations about three subjects, with two prompts each."""
    subjects = list(_SUBJECTS.values())
    events: list[dict[str, object]] = []
    for session in range(first_session, first_session + sessions):
        for turn in range(2):
            phrases = subjects[(session + turn) % 3]
            thing = _THINGS[(session // 3 + 5 * turn) % len(_THINGS)]
            prompt = f"I want {phrases[(session + turn) % len(phrases)].format(thing)}"
            events.append(
                {
                    "event_id": f"e{session}-{turn}",
                    "name": "prompt_sent",
                    "session_id": f"s{session}",
                    "user_id": f"u{session % 7}",
                    "timestamp": f"2026-03-{1 + session % 28:02}T10:{turn:02}:00Z",
                    "metadata": {"prompt": prompt, "plan": "team" if session % 3 else "free", "latency": 0.5 + turn},
                }
            )
    return events
