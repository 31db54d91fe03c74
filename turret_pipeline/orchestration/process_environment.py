"""Environment of every Dagster process that loads the definitions."""

import atexit
import os
import sys

from turret_pipeline.private_files import keep_files_private

NO_TELEMETRY = {"DAGSTER_DISABLE_TELEMETRY": "true", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def prepare_process() -> None:
    """Switch telemetry off and keep files private, in this process and those that it starts, and silence its end."""
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
