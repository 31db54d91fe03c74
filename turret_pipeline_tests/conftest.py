"""One run over the sample, shared by the tests that only read its output."""

import atexit
import importlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from turret_pipeline_tests.commands import SAMPLE, installed_turret

if "VECTOR_NOISE" in os.environ:
    importlib.import_module("turret_pipeline_tests.vector_noise.sitecustomize")
    noise_dir = str(Path(__file__).with_name("vector_noise"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [noise_dir, os.environ.get("PYTHONPATH")]))

if "PYTEST_XDIST_WORKER" in os.environ:
    # at interpreter shutdown, torch and duckdb together print a page of leak warnings between the test results
    atexit.register(os._exit, 0)


@dataclass(frozen=True)
class Job:
    """A finished run: its data folder, which tests must not change, and its standard output."""

    data_dir: Path
    printed: str


@pytest.fixture(scope="session")
def sample_job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """`turret run` on the sample, executed once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    data_dir, printed = shared / "sample", shared / "sample.txt"
    with FileLock(shared / "sample.lock"):
        if not printed.exists():
            done = installed_turret("run", "--input", SAMPLE, "--data-dir", data_dir)
            assert done.returncode == 0, done.stdout + done.stderr
            printed.write_text(done.stdout)
    return Job(data_dir, printed.read_text())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that read the output of the shared run as slow: the first of them waits for it."""
    for item in items:
        if "sample_job" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
