"""The examples of clients send events to a running collector."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline_tests.collector.nodejs import SDK, set_up_node
from turret_pipeline_tests.collector.servers import Server, run_server
from turret_pipeline_tests.commands import BIN, environment
from turret_pipeline_tests.docs.pages import list_blocks

PAGE = "docs/how-to/clients.md"
PYTHON_EVENTS = [["prompt_sent"], ["Where is my parcel?", "answer_copied"], ["answer_copied"]]
"""Names or prompts of the records that each Python example adds, sorted."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("clients")) as started:
        yield started


def run_example(server: Server, code: str, folder: Path, command: str, file: str) -> list[dict[str, object]]:
    """Records that an example adds. Fails unless it succeeds."""
    before = len(server.read_records())
    (folder / file).write_text(code.replace("http://127.0.0.1:8000", server.url))
    variables = {"TURRET_COLLECTOR_API_KEY": server.key, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [command, file],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return server.read_records()[before:]


def test_there_is_an_expectation_for_each_example() -> None:
    assert len(list_blocks(PAGE, "python")) == len(PYTHON_EVENTS)
    assert len(list_blocks(PAGE, "javascript")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("number", "names"), list(enumerate(PYTHON_EVENTS)))
def test_the_python_examples_send_events(server: Server, tmp_path: Path, number: int, names: list[str]) -> None:
    code = list_blocks(PAGE, "python")[number].code
    records = run_example(server, code, tmp_path, sys.executable, "example.py")
    assert sorted(str(record.get("name") or record.get("event") or record.get("prompt")) for record in records) == names


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_the_javascript_examples_send_events(
    server: Server, number: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code = list_blocks(PAGE, "javascript")[number].code
    folder = set_up_node(tmp_path_factory, with_sdk=SDK in code)
    (record,) = run_example(server, code, folder, "node", f"example{number}.mjs")
    assert "Where is my parcel?" in str(record)
