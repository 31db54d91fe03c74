"""Records attempts of child processes to reach another machine.

``guard_network`` gives the variables for their environment; Python then imports ``sitecustomize`` in each of them.
"""

import os
from pathlib import Path

from turret_pipeline_tests.commands import environment

LOG_VARIABLE = "NETWORK_GUARD_LOG"


def guard_network(log: Path) -> dict[str, str]:
    """Variables with which all Python processes refuse connections to other machines, and append them to ``log``."""
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, folders)), LOG_VARIABLE: str(log)}


def guarded_environment(log: Path) -> dict[str, str]:
    """Environment without switches of telemetry, in which attempts to reach another machine are recorded."""
    switches = ("DAGSTER_DISABLE_TELEMETRY", "DBT_SEND_ANONYMOUS_USAGE_STATS", "GX_ANALYTICS_ENABLED", "HF_HUB_OFFLINE")
    unset = {name: value for name, value in environment().items() if name not in switches}
    return unset | guard_network(log)


def attempts_to_leave(log: Path) -> str:
    """The recorded attempts, one per line."""
    return log.read_text() if log.exists() else ""
