"""One run over the sample, and one over a few events, shared by the tests that start from their output."""

import atexit
import importlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from turret_pipeline.storage.object_store import open_object_store
from turret_pipeline_tests.commands import BIN, SAMPLE, conversations, run_job, write_events
from turret_pipeline_tests.network_guard import guarded_environment
from turret_pipeline_tests.object_server import KEYS, ObjectServer, Proxy

if "VECTOR_NOISE" in os.environ:
    importlib.import_module("turret_pipeline_tests.vector_noise.sitecustomize")
    noise_dir = str(Path(__file__).with_name("vector_noise"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [noise_dir, os.environ.get("PYTHONPATH")]))

if "PYTEST_XDIST_WORKER" in os.environ:
    # at interpreter shutdown, torch and duckdb together print a page of leak warnings between the test results
    atexit.register(os._exit, 0)


@dataclass(frozen=True)
class Job:
    """A finished run: its data folder, which tests must not change, its standard output, and a log of the network."""

    data_dir: Path
    printed: str
    network_log: Path


def find_shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of all test processes."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def sample_job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """`turret run` on the sample under the network guard, executed once for all test processes."""
    shared = find_shared_folder(tmp_path_factory)
    data_dir, printed, network = shared / "sample", shared / "sample.txt", shared / "sample-network.log"
    with FileLock(shared / "sample.lock"):
        if not printed.exists():
            (shared / "elsewhere").mkdir()
            command = [str(BIN / "turret"), "run", "--input", str(SAMPLE), "--data-dir", str(data_dir)]
            done = subprocess.run(
                command,
                cwd=shared / "elsewhere",
                env=guarded_environment(network),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            printed.write_text(done.stdout)
    return Job(data_dir, printed.read_text(), network)


@pytest.fixture(scope="session")
def small_job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folder of a run on 72 events in its landing folder, executed once for all test processes. Tests copy it."""
    folder = find_shared_folder(tmp_path_factory) / "small"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            unfinished = folder.with_name("unfinished")
            write_events(unfinished / "landing" / "a.jsonl", conversations())
            run_job(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """SeaweedFS with the bucket `tests`, started once for each test process that needs it."""
    server = ObjectServer(tmp_path_factory.mktemp("object-server")).start()
    with pytest.MonkeyPatch.context() as variables:
        _point_to(variables, server.endpoint)
        open_object_store("s3://tests").put("first", b"")  # creates the bucket
    yield server
    server.remove()


@pytest.fixture
def s3_variables(object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables of the server, which are set in this process."""
    return _point_to(monkeypatch, object_server.endpoint)


@pytest.fixture
def proxy(object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the server, to which the variables point."""
    with Proxy(object_server.port) as server:
        _point_to(monkeypatch, server.endpoint)
        yield server


def _point_to(variables: pytest.MonkeyPatch, endpoint: str) -> dict[str, str]:
    found = {**KEYS, "AWS_ENDPOINT_URL": endpoint}
    for name, value in found.items():
        variables.setenv(name, value)
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that read the output of a shared run as slow: the first of them waits for it. Then order the files."""
    for item in items:
        if {"sample_job", "small_job"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    _order_files(items)


def _order_files(items: list[pytest.Item]) -> None:
    """Put one file that needs the run over the sample first, and the others behind the slow files that do not need it.

    So no process waits while another makes that run. Files of quick tests come last, and keep all processes busy.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    waiting = [item.path for item in items if "sample_job" in getattr(item, "fixturenames", ())]
    places = dict.fromkeys(slow, 1) | dict.fromkeys(waiting, 2) | dict.fromkeys(waiting[:1], 0)
    items.sort(key=lambda item: places.get(item.path, 3))


class _FileScheduling(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file run in one process and in order, but each page's commands take as long as a file."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "::test_the_commands_of_a_page_run[" in nodeid else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """The scheduling by file, if xdist is to distribute files; None for xdist's own."""
    return _FileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
