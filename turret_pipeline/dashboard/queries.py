"""Queries of people: run in a process of their own, with limits of rows, time and memory."""

import io
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from turret_pipeline.errors import TurretError

MAX_ROWS, MAX_SECONDS, MAX_MEGABYTES = 10_000, 20, 200
AT_ONCE = 2
_FREE = threading.Semaphore(AT_ONCE)


@dataclass(frozen=True)
class QueryResult:
    """The first MAX_ROWS rows of a query; ``is_cut`` if it has more."""

    frame: pl.DataFrame
    is_cut: bool


def run_query(path: Path, query: str) -> QueryResult:
    """The rows of one query that reads. Raises TurretError if it is invalid, or needs too much time or memory."""
    command = [sys.executable, "-m", "turret_pipeline.dashboard.sql_worker", str(path), str(MAX_ROWS)]
    if not _FREE.acquire(timeout=MAX_SECONDS):
        raise TurretError(f"Other people's queries are running, {AT_ONCE} at most at a time: try again.")
    try:
        done = subprocess.run(
            [*command, str(MAX_MEGABYTES)],
            input=query.encode(),
            capture_output=True,
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TurretError(f"The query took more than {MAX_SECONDS} s: select fewer rows, or group them.") from None
    finally:
        _FREE.release()
    if done.returncode == 2:
        raise TurretError(done.stderr.decode(errors="replace"))
    if done.returncode:
        raise TurretError(f"The query needs more than {MAX_MEGABYTES} MB: select fewer rows or columns.")
    frame = pl.read_ipc_stream(io.BytesIO(done.stdout))
    return QueryResult(frame.head(MAX_ROWS), frame.height > MAX_ROWS)
