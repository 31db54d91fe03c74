"""One run over the sample, shared by the tests that only read its output."""

import atexit
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from turret_pipeline_tests.commands import SAMPLE, installed_turret

if "PYTEST_XDIST_WORKER" in os.environ:
    # at interpreter shutdown, torch and duckdb together print a page of leak warnings between the test results
    atexit.register(os._exit, 0)


@dataclass(frozen=True)
class Job:
    """A finished run: its data folder, which tests must not change, and its standard output."""

    data_dir: Path
    printed: str


@pytest.fixture(scope="session")
def sample_job(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Job:
    """`turret run` on the sample, executed once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    data_dir, printed = shared / "sample", shared / "sample.txt"
    with FileLock(shared / "sample.lock"):
        if not printed.exists():
            done = installed_turret("run", "--input", SAMPLE, "--data-dir", data_dir)
            assert done.returncode == 0, done.stdout + done.stderr
            printed.write_text(done.stdout)
    return Job(data_dir, printed.read_text())
