"""Payloads that broke other collectors: an answer without an internal error, nothing lost, and a run that reads all."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from turret_pipeline.collector.examples import EXAMPLES
from turret_pipeline.collector.paths import TRACK, V1_EVENTS
from turret_pipeline_tests.collector.poisoned_payloads import VALUES, encode, list_bodies
from turret_pipeline_tests.collector.servers import Server, gzip_body, run_server
from turret_pipeline_tests.commands import conversations, run_job, warehouse, write_events

pytestmark = pytest.mark.slow

ANSWERS = {
    TRACK: {200, 400},
    V1_EVENTS: {200, 400},
    **{path: {200, 422} for path in EXAMPLES if path.startswith(("/publish", "/identify"))},
}
"""Statuses that an endpoint may answer to a request with a key."""

PLACEHOLDERS = {" \t\n", "null", "undefined", "[object Object]", "NaN", "None", "true", "anonymous", VALUES["zeros"]}
"""Ids that a run takes for none, and replaces."""

THREADS = 16
EVENTS: dict[str, dict[str, Any]] = {
    path: example[0] if isinstance(example, list) else example for path, example in EXAMPLES.items()
} | {"/v1/events LLM event": EXAMPLES["/publish_llm_events"][0]}
"""An event of each endpoint that a poisoned part makes another."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("poisoned")


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[Server]:
    with run_server(data_dir, {"track_timestamps": "true", "max_batch_events": 100_000}) as started:
        yield started


@pytest.mark.parametrize("name", EVENTS)
def test_a_poisoned_payload_is_stored_or_rejected_with_its_reason(server: Server, name: str) -> None:
    path = name.partition(" ")[0]
    good = encode(EVENTS[name]).encode()

    def check(case: str, event: bytes) -> None:
        body = event if path == TRACK or case in {"nothing", "byte order mark first"} else b"[" + event + b"]"
        answer = server.post(path, body)
        assert (case, answer.status_code in ANSWERS[path]) == (case, True), answer.text
        if answer.status_code != 200:
            assert (case, answer.json()["success"], bool(answer.json()["detail"])) == (case, False, True)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(check, *zip(*list_bodies(EVENTS[name], good).items(), strict=True)):
            pass
    assert server.post(path, good if path == TRACK else b"[" + good + b"]").status_code == 200
    assert "Traceback" not in server.read_log()


def test_poisoned_events_cost_no_other_event_of_their_body(server: Server) -> None:
    good = encode({**EVENTS[V1_EVENTS], "event_id": "good"}).encode()
    poisoned = [
        body
        for case, body in list_bodies(EVENTS[V1_EVENTS], good).items()
        if b"\n" not in body and len(body) < 100_000 and case not in {"nothing", "UTF-16", "UTF-32"}
    ]
    lines = b"".join(good + b"\n" + body + b"\n" for body in poisoned) + good
    for body, headers in ((lines, {}), (gzip_body(lines), {"content_encoding": "gzip"})):
        answer = server.post(V1_EVENTS, body, content_type="application/x-ndjson", **headers)
        results = answer.json()["results"]
        assert (answer.status_code, len(results)) == (200, 2 * len(poisoned) + 1)
        assert {result.get("event_id") for result in results[::2]} == {"good"}


def test_many_property_names_and_types_of_one_key_are_stored(server: Server) -> None:
    names = [
        {"name": "wide", "metadata": {f"key {number * 40 + part}": part for part in range(40)}} for number in range(10)
    ]
    types = [{"name": "mixed", "metadata": {"a": value}} for value in (1, "1", 1.5, True, None, [], {}, [1], {"b": 1})]
    answer = server.post(V1_EVENTS, [*names, *types * 20])
    assert (answer.status_code, answer.json()["rejected"]) == (200, 0)


def test_a_run_reads_every_event_that_was_stored(server: Server, data_dir: Path) -> None:
    server.stop()
    project = data_dir / "projects" / "demo"
    write_events(project / "landing" / "conversations.jsonl", conversations())
    lines = [line for path in (project / "landing").glob("**/*.jsonl") for line in path.read_bytes().splitlines()]
    ids = {json.loads(line)["event_id"] for line in lines} - PLACEHOLDERS
    assert len(ids) > 1000
    run_job(project)
    with duckdb.connect(str(warehouse(project)), read_only=True) as connection:
        rejected = connection.execute("select reason, raw_text from marts.rejected_events").fetchall()
        stored = {str(row[0]) for row in connection.execute("select event_id from marts.events").fetchall()}
    assert rejected == []
    assert {name for name in ids if not {name, f"{name}-prompt"} & stored} == set()
