"""Records attempts of child processes to reach another machine.

``guard_network`` gives the variables for their environment; Python then imports ``sitecustomize`` in each of them.
"""

import os
from pathlib import Path

LOG_VARIABLE = "NETWORK_GUARD_LOG"


def guard_network(log: Path) -> dict[str, str]:
    """Variables with which all Python processes refuse connections to other machines, and append them to ``log``."""
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, folders)), LOG_VARIABLE: str(log)}
