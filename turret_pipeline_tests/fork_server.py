"""`turret` in a process with its libraries already imported, because importing them takes half of a small run.

A fork server imports the libraries and does nothing else. It forks for every command. The fork behaves like `turret` on
a command line: a separate process with its own exit code and output, which can be killed.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

OUTPUTS = ("stdout", "stderr")

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # Great Expectations reads it on import
_SERVER = multiprocessing.get_context("forkserver")
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
    process = _SERVER.Process(target=_run, args=(arguments, dict(variables), working_dir, folder))
    process.start()
    return process


def _run(arguments: list[str], variables: dict[str, str], working_dir: Path, folder: Path) -> None:
    os.setsid()
    for descriptor, name in enumerate(OUTPUTS, start=1):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(working_dir)
    sys.argv = ["turret", *arguments]
    from turret_pipeline.cli import main

    main()
