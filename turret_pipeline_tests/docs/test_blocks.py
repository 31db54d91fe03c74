"""Every block of code in the documents runs: commands by page, queries, and settings."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from turret_pipeline.config.collector import load_collector_settings
from turret_pipeline.config.dashboard import load_dashboard_settings
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline_tests.commands import BIN, PROJECT, SAMPLE, environment, prepare_data_dir
from turret_pipeline_tests.conftest import Job
from turret_pipeline_tests.docs.pages import Block, list_blocks
from turret_pipeline_tests.shell_turret import install_programs

CHECKED_ELSEWHERE = {"python", "javascript"}
"""Languages of the examples that test_clients.py runs."""
NOT_COMMANDS = {"text", "json"}
"""Output, lines of other programs, and examples of rows, which the reference generates."""

NOT_RUN = {
    "docs/how-to/own-events.md": ["installs a package"],
    "docs/how-to/llm-labels.md": ["installs a package"],
    "docs/how-to/iceberg.md": ["installs a package"],
    "docs/how-to/ray.md": [
        "starts a cluster that goes on after the commands; tests start one of their own",
        "needs a cluster; tests run the same on one of their own",
    ],
    "docs/how-to/object-storage.md": [
        "needs an object store; tests run the same against SeaweedFS on this machine",
    ],
    "docs/how-to/dashboard.md": ["asks for a password"],
    "docs/how-to/query-tables.md": ["it changes who can read the folder"],
    "docs/how-to/deploy.md": [
        "installs the package; CI installs a wheel with the lock files instead, and runs the same demo",
        "images cannot be built where the tests run",
    ],
}
"""Reasons of the blocks that do not run, by page."""

PRELUDE = """
set -euo pipefail
turret() { "$PROGRAMS/turret" "$@"; }
dagster() { "$PROGRAMS/dagster" "$@"; }
make() { command make --dry-run -C "$PROJECT" "$@" > /dev/null; }
wait_for_port() {
  for _ in $(seq 1800); do
    if (echo > "/dev/tcp/127.0.0.1/$1") 2> /dev/null; then return; fi
    sleep 0.1
  done
  echo "Nothing listens on port $1" >&2
  return 1
}
wait_for_file() {
  for _ in $(seq 600); do
    if compgen -G "$1/landing/*/*.jsonl*" > /dev/null; then return; fi
    sleep 0.1
  done
}
trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
"""
"""A page runs as one script after `make run`: `make` does nothing more, and servers run in the background.

A run of a project waits for a file that its collector has finished.
The commands of README.md are those that are installed. Those of other pages are forked, but for the servers.
"""

SERVER = re.compile(
    r"^((?:turret (?:serve|dashboard|ui)|dagster dev|dg dev)\b.*?--port (\d+).*?)(?:  +#.*)?$", re.MULTILINE
)

COMMAND_PAGES = sorted({block.page for block in list_blocks(language="sh") if not block.reason})
QUERIES = [query.strip() for block in list_blocks(language="sql") for query in block.code.split(";") if query.strip()]


def _find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _write_script(page: str) -> tuple[str, dict[str, str]]:
    """The commands of a page as one script on free ports, and the variables that it needs."""
    code = "".join(block.code for block in list_blocks(page, "sh") if not block.reason)
    variables = {"PROJECT": str(PROJECT), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    code = re.sub(r"^turret run --data-dir (data/projects/\S+)", r"wait_for_file \1\n\g<0>", code, flags=re.MULTILINE)
    ports = {found[2] for found in SERVER.finditer(code)}
    code = SERVER.sub(r"exec \1 & wait_for_port \2", code)
    for port in ports:
        free = str(_find_free_port())
        code = re.sub(rf"\b{port}\b", free, code)
        variables |= {"TURRET_COLLECTOR_URL": f"http://127.0.0.1:{free}", "TURRET_COLLECTOR_FILE_MAX_SECONDS": "1"}
    return PRELUDE + code, variables


def _make_checkout(folder: Path, job: Job) -> None:
    """Make a folder like a checkout after `make run`."""
    shutil.copytree(job.data_dir, folder / "data")
    shutil.copytree(SAMPLE, folder / "data" / "sample")
    (folder / ".venv").symlink_to(sys.prefix)


@pytest.mark.parametrize("page", COMMAND_PAGES)
def test_the_commands_of_a_page_run(sample_job: Job, page: str, tmp_path: Path) -> None:
    script, variables = _write_script(page)
    _make_checkout(tmp_path, sample_job)
    for data_dir in re.findall(r"TURRET_DATA_DIR=(\S+)|--data-dir (\S+)", script):
        if f"restore backup.tar.gz --data-dir {''.join(data_dir)}" not in script:  # which needs an empty folder
            prepare_data_dir(tmp_path / "".join(data_dir))
    for block in list_blocks(page, "toml"):
        (tmp_path / "turret.toml").write_text(block.code)
    with tempfile.TemporaryDirectory() as folder, install_programs(Path(folder)):
        variables["PROGRAMS"] = str(BIN) if page == "README.md" else folder
        command = ["bash", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(variables), capture_output=True, text=True, check=False, timeout=600
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_make_target_of_a_page_is_explained() -> None:
    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    named = {
        target for block in list_blocks(language="sh") for target in re.findall(r"^make ([\w-]+)", block.code, re.M)
    }
    assert named <= {line.split()[0] for line in listed.splitlines()}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_returns_rows(sample_job: Job, query: str) -> None:
    file = sample_job.data_dir / "warehouse" / "turret.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute(query).fetchall()


@pytest.mark.parametrize(
    "table", ["event_topics", "topic_days", "topic_lineage", "topic_numbers", "topic_outcomes", "topic_segments"]
)
def test_joins_with_topics_are_ambiguous_only_in_counts(sample_job: Job, table: str) -> None:
    """The counts of topics are those of all its events, so the other table has its own."""
    columns = "select column_name from duckdb_columns() where schema_name = 'marts' and table_name = ?"
    with duckdb.connect(str(sample_job.data_dir / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        of_topics, of_table = (
            {name for (name,) in connection.execute(columns, [each]).fetchall()} for each in ("topics", table)
        )
        shared = (of_topics & of_table) - {"field", "topic_id"}
        assert shared <= {"event_count", "session_count", "user_count", "event_share"}
        others = ", ".join(sorted((of_topics | of_table) - shared) + [f"{table}.{name}" for name in sorted(shared)])
        connection.execute(f"select {others} from marts.{table} join marts.topics using (field, topic_id)")


@pytest.mark.parametrize("block", list_blocks(language="toml"), ids=lambda block: block.page)
def test_settings_are_valid(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "turret.toml").write_text(block.code)
    monkeypatch.chdir(tmp_path)
    load_settings()
    load_collector_settings()
    load_dashboard_settings()


def test_every_block_runs_or_says_why_not() -> None:
    reasons: dict[str, list[str]] = {}
    for block in list_blocks():
        if block.reason:
            reasons.setdefault(block.page, []).append(block.reason)
    assert reasons == NOT_RUN
    run_here = {"sh", "sql", "toml"}
    assert {block.language for block in list_blocks()} <= run_here | CHECKED_ELSEWHERE | NOT_COMMANDS
    clients = {block.page for language in CHECKED_ELSEWHERE for block in list_blocks(language=language)}
    assert clients == {"docs/how-to/clients.md"}
