"""`turret` in a process that has its libraries loaded already: loading them is half of a small run.

A server that has loaded them, and done nothing else, forks for every command. From there on it is `turret` as a person
runs it: a process of its own with its own exit code and output, which can be killed.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

OUTPUTS = ("stdout", "stderr")

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # Great Expectations reads it when it is loaded
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "turret_pipeline.orchestration.run",
        "turret_pipeline.reports.summary",
        "sentence_transformers",
        "transformers.models.bert.modeling_bert",
        "great_expectations.expectations.core",
        "matplotlib.backends.backend_agg",
    ]
)


def start_turret(arguments: list[str], variables: Mapping[str, str], place: Path, folder: Path) -> ForkServerProcess:
    """`turret` with these arguments, environment and working folder, leading a process group.

    What it prints goes to the files OUTPUTS in ``folder``.
    """
    process = _SERVER.Process(target=_run, args=(arguments, dict(variables), place, folder))
    process.start()
    return process


def _run(arguments: list[str], variables: dict[str, str], place: Path, folder: Path) -> None:
    os.setsid()
    for descriptor, name in enumerate(OUTPUTS, start=1):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(place)
    sys.argv = ["turret", *arguments]
    from turret_pipeline.cli import main

    main()
