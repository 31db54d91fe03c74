"""A dashboard on the sample's results, and a browser that reports everything that goes wrong on a page."""

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.access import Access
from turret_pipeline.dashboard.server import configure_server
from turret_pipeline_tests.conftest import Job
from turret_pipeline_tests.dashboard.visits import Visitor

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@contextmanager
def run_dashboard(
    options: Mapping[str, object] | None = None, access: Access | None = None, **folders: Path
) -> Iterator[str]:
    """A dashboard of projects on a free port of loopback; yields its URL. ``options`` are further settings.

    Its folder of credentials is below ``data_dir``, one of the options; without it, nobody has any.
    """
    with tempfile.TemporaryDirectory() as empty:
        given = {"data_dir": Path(empty), **(options or {})}
        settings = DashboardSettings.model_validate({"projects": folders, "port": 0, **given})
        with _run(configure_server(settings, access)) as address:
            yield address


@contextmanager
def _run(config: uvicorn.Config) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"{'https' if config.is_ssl else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def sample_folder(request: pytest.FixtureRequest) -> Path:
    """Data folder of a run on the sample, which tests must not change.

    SAMPLE_RUN=FOLDER uses a finished run of yours, which saves minutes while you work on a page.
    """
    if folder := os.environ.get("SAMPLE_RUN"):
        return Path(folder)
    job: Job = request.getfixturevalue("sample_job")
    return job.data_dir


@pytest.fixture(scope="session")
def dashboard(sample_folder: Path) -> Iterator[str]:
    """URL of a dashboard whose project ``sample`` is the shared run: tests must not change anything."""
    with run_dashboard(sample=sample_folder) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without it, tests are skipped, except in CI, where they fail.

    It ends with the tests of a file: its event loop runs in this thread, where other tests start one of their own.
    """
    if CHROMIUM is None:
        reason = "no Chromium is installed (Debian's package chromium)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, dashboard: str) -> Iterator[Visitor]:
    """A person with a browser at the dashboard of the sample. Anything that went wrong on a page fails the test."""
    with Visitor.open(browser, f"{dashboard}/sample") as visitor:
        yield visitor
        assert not visitor.problems
