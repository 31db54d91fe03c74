"""`turret` in a process with its libraries already imported, because importing them takes half of a small run.

A fork server imports the libraries and does nothing else. It forks for every command. The fork behaves like `turret` on
a command line: a separate process with its own exit code and output, which can be killed. So does `dagster`.
"""

import importlib
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

OUTPUTS = ("stdout", "stderr")
PROGRAMS = {"turret": "turret_pipeline.cli", "dagster": "dagster._cli"}
"""Module of each program whose function ``main`` it runs."""

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # Great Expectations reads it on import
_SERVER = multiprocessing.get_context("forkserver")
_PIDS: list[int | None] = []
"""Processes that were forked."""
_SERVER.set_forkserver_preload(
    [
        "turret_pipeline.orchestration.run",
        "turret_pipeline.reports.summary",
        "sentence_transformers",
        "transformers.models.bert.modeling_bert",
        "great_expectations.expectations.core",
        "matplotlib.backends.backend_agg",
        "turret_pipeline_tests.preload",
    ]
)


def start_turret(
    arguments: list[str], variables: Mapping[str, str], working_dir: Path, folder: Path
) -> ForkServerProcess:
    """Start `turret` with these arguments, environment variables and working directory, in its own process group.

    Its output goes to the files OUTPUTS in ``folder``.
    """
    files = [folder / name for name in OUTPUTS]
    process = _SERVER.Process(target=_run_into_files, args=(arguments, dict(variables), working_dir, files))
    process.start()
    _PIDS.append(process.pid)
    return process


def has_server() -> bool:
    """True if a command was started: then starting another one costs nothing."""
    return bool(_PIDS)


def fork_program(
    command: list[str], variables: Mapping[str, str], working_dir: Path, streams: Sequence[object]
) -> ForkServerProcess:
    """Start one of PROGRAMS with its arguments, as ``start_turret`` does.

    Its standard streams are three objects that unpickle as descriptors.
    """
    process = _SERVER.Process(target=_run, args=(command, dict(variables), working_dir, dict(enumerate(streams))))
    process.start()
    return process


def _run_into_files(arguments: list[str], variables: dict[str, str], working_dir: Path, files: list[Path]) -> None:
    opened = {
        stream: os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for stream, file in enumerate(files, start=1)
    }
    _run(["turret", *arguments], variables, working_dir, opened)


def _run(command: list[str], variables: dict[str, str], working_dir: Path, streams: dict[int, int]) -> None:
    os.setsid()
    for stream, descriptor in streams.items():
        os.dup2(descriptor, stream)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(working_dir)
    sys.argv = command
    importlib.import_module(PROGRAMS[command[0]]).main()
