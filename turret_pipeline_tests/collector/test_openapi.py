"""The OpenAPI document is correct: schemathesis checks the running collector against it, with all its checks."""

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline.collector.api_errors import STATUS
from turret_pipeline.collector.examples import format_command
from turret_pipeline.collector.wire.validation import RESERVED_NAMES
from turret_pipeline.tables import END, OTHER, START, STRUGGLE_OUTCOME
from turret_pipeline_tests.collector.servers import Server, run_server
from turret_pipeline_tests.commands import environment

EXAMPLES = 8
SHORT_TEXTS = {"max_text_length": 300, "max_long_text_length": 500}  # long texts would take most of the time


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("openapi"), SHORT_TEXTS) as started:
        yield started


@pytest.mark.slow
def test_schemathesis_finds_no_violation(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json"),
        *("--header", f"X-API-Key: {server.key}", "--checks", "all", "--max-examples", str(EXAMPLES)),
        *("--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-color", "--suppress-health-check", "all"),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found, done.stdout
    with capsys.disabled():
        print(f"\nschemathesis: {found[1]} cases generated, {found[2]} passed")
    assert int(found[1]) > 500


def test_the_document_names_every_path_and_every_code(server: Server) -> None:
    document = server.get("/openapi.json").json()
    page = server.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in document["paths"]:
        assert f"{path}</code>" in page.text
        assert server.session.options(server.url + path).status_code == 405  # the path exists and takes another method
    responses = str([method["responses"] for methods in document["paths"].values() for method in methods.values()])
    assert [code for code in STATUS if code not in responses] == ["NOT_FOUND", "METHOD_NOT_ALLOWED"]


def test_every_endpoint_has_an_example_that_works(server: Server) -> None:
    page = html.unescape(server.get("/docs").text)
    variables = {"TURRET_COLLECTOR_URL": server.url, "TURRET_COLLECTOR_API_KEY": server.key}
    document = server.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        command = format_command(path)
        assert f"<pre>{command}</pre>" in page
        done = subprocess.run(["bash", "-c", command], env=environment(variables), capture_output=True, check=False)
        assert (path, done.returncode, bool(done.stdout)) == (path, 0, True)
        if "post" in methods:
            content = methods["post"]["requestBody"]["content"]["application/json"]
            assert server.post(path, content["example"]).status_code == 200


def test_the_page_loads_nothing_and_runs_nothing(server: Server) -> None:
    page = server.get("/docs")
    assert page.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert not re.search(r"<script|src=|https?://", page.text)


def test_reserved_names_match_those_of_the_pipeline() -> None:
    assert {START, END, OTHER, STRUGGLE_OUTCOME} == set(RESERVED_NAMES)


@pytest.mark.slow
def test_metrics_sum_all_workers(tmp_path: Path) -> None:
    with run_server(tmp_path, {"workers": 2}) as server:
        for _ in range(10):
            server.session.close()
            server.post("/track", {"name": "n", "metadata": {}})
        server.post("/track", {}, key="wrong")
        server.post("/nowhere", {})
        text = server.get("/metrics").text
        assert 'turret_collector_events_total{path="/track"} 10.0' in text
        assert 'turret_collector_requests_total{path="/track",status="401"} 1.0' in text
        assert 'turret_collector_requests_total{path="other",status="404"} 1.0' in text
        assert "turret_collector_commit_seconds_bucket" in text
