"""Environment of every Dagster process that loads the definitions."""

import atexit
import os
import sys

from turret_pipeline.private_files import keep_files_private

NO_SPINNING = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait give their processor to others: if they spin, a busy machine is several times slower."""

NO_TELEMETRY = {"DAGSTER_DISABLE_TELEMETRY": "true", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def prepare_process() -> None:
    """Switch telemetry off, keep files private and threads passive, in this process and those that it starts.

    Also silence its end. Libraries read how threads wait when they are loaded, so this comes first.
    """
    for name, value in NO_SPINNING.items():
        os.environ.setdefault(name, value)
    os.environ.update(NO_TELEMETRY)
    keep_files_private()
    atexit.unregister(_silence_stderr)
    atexit.register(_silence_stderr)


def _silence_stderr() -> None:
    """Send what follows to the null device: with torch loaded, DuckDB's bindings end with a page of leak warnings."""
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
