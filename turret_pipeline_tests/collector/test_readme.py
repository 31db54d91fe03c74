"""README section on the collector: its examples run, and its table lists all settings."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline.config.collector import PREFIX, CollectorSettings
from turret_pipeline_tests.collector.nodejs import SDK, set_up_node
from turret_pipeline_tests.collector.servers import Server, run_server
from turret_pipeline_tests.commands import BIN, PROJECT, environment

README = (PROJECT / "README.md").read_text()
SECTION = README.split("\n## Collect events over HTTP\n")[1].split("\n## ")[0]


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("readme")) as started:
        yield started


def run_example(
    server: Server, code: str, folder: Path, command: list[str], file: str, exit_code: int = 0
) -> list[dict[str, object]]:
    """Records that an example adds. Fails unless the example ends with the expected exit code."""
    before = len(server.read_records())
    (folder / file).write_text(code.replace("http://127.0.0.1:8000", server.url))
    variables = {"TURRET_COLLECTOR_API_KEY": server.key, "TURRET_COLLECTOR_URL": server.url}
    variables |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, file],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    return server.read_records()[before:]


def test_the_shell_example_posts_an_event_and_sends_a_dump(server: Server, tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "data" / "sample", tmp_path / "data" / "sample")
    # the sample has some damaged lines: `turret send` reports them, and exits with code 1
    records = run_example(server, code_blocks("bash")[1], tmp_path, ["bash", "-e"], "example.sh", exit_code=1)
    assert records[0]["metadata"] == {"prompt": "Where is my parcel?", "plan": "free"}
    assert len(records) > 1000


@pytest.mark.parametrize(("number", "names"), [(0, ["prompt_sent"]), (1, ["answer_copied", "Where is my parcel?"])])
def test_the_python_examples_post_events(server: Server, tmp_path: Path, number: int, names: list[str]) -> None:
    records = run_example(server, code_blocks("python")[number], tmp_path, [sys.executable], "example.py")
    assert [record.get("name") or record.get("event") or record.get("prompt") for record in records] == names


@pytest.mark.parametrize("number", [0, 1])
def test_the_javascript_examples_post_events(
    server: Server, number: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = set_up_node(tmp_path_factory, with_sdk=SDK in code_blocks("javascript")[number])
    (record,) = run_example(server, code_blocks("javascript")[number], folder, ["node"], f"example{number}.mjs")
    assert "Where is my parcel?" in str(record)


def test_the_commands_of_the_first_block_exist() -> None:
    for line in code_blocks("bash")[0].splitlines():
        command = line.split("  ")[0].split()[1]
        done = subprocess.run([str(BIN / "turret"), command, "--help"], capture_output=True, text=True, check=True)
        options = [part for part in line.split("#")[0].split() if part.startswith("--")]
        assert all(option in done.stdout for option in options)


def test_the_readme_lists_every_setting_of_the_collector() -> None:
    table = README.split("<!-- collector settings -->\n")[1].split("<!-- /collector settings -->")[0]
    assert table == settings_table()


def settings_table() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {field.description} | {format_default(field.default)} |\n"
        for name, field in CollectorSettings.model_fields.items()
        if name != "data_dir"
    ]
    return "".join(["| setting | meaning | default |\n|---|---|---|\n", *rows])


def format_default(default: object) -> str:
    if default in (None, []):
        return ""
    return f"{default:,}" if isinstance(default, int) and default > 9999 else str(default)
