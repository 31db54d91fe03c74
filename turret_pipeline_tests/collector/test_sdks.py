"""Trubrics' SDKs from PyPI and npm against a running collector, also through an outage."""

import datetime as dt
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from trubrics import Trubrics

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline_tests.collector.nodejs import set_up_node
from turret_pipeline_tests.collector.servers import read_records, run_server, start_server
from turret_pipeline_tests.commands import conversations, open_published, run_job

SCRIPT = """
import { createInterface } from "node:readline";
import { Trubrics } from "@trubrics/trubrics";

const [host, apiKey] = process.argv.slice(2);
const trubrics = new Trubrics({ host, apiKey, flushInterval: 600, flushBatchSize: 100 });
for await (const batch of createInterface({ input: process.stdin })) {
  trubrics.track({ event: "js event", user_id: `js-${batch}`, properties: { $thread_id: "js-thread", nothing: null } });
  trubrics.trackLLM({
    user_id: `js-${batch}`, prompt: `js prompt ${batch}`, generation: "js generation", assistant_id: "gpt",
    thread_id: "js-thread", latency: 2, timestamp: new Date("2026-05-01T10:00:00.250Z"),
  });
  await trubrics.flush();
  console.log(batch);
}
process.exit();
"""

OUTAGE, FLUSH_AFTER = 10, 7  # seconds


class NodeClient:
    """The SDK from npm in a process that tracks and flushes once per input line."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        (folder / "client.mjs").write_text(SCRIPT)
        command = ["node", "client.mjs", url, key]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )

    def flush(self, batch: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == batch

    def close(self) -> None:
        self.process.communicate(timeout=20)


def track_events(client: Trubrics, batch: str) -> None:
    """Track events with all fields, with the fewest fields, and with a time without a zone."""
    at = dt.datetime(2026, 5, 1, 10, 0, 0, 250_000)
    client.track("py", f"event {batch}", {"$thread_id": "py-thread", "nothing": None}, at.replace(tzinfo=dt.UTC))
    client.track("py", f"bare {batch}")
    client.track_llm("py", f"prompt {batch}", "generation", thread_id="py-thread", latency=2, timestamp=at)
    client.track_llm("py", f"bare prompt {batch}", "generation")


@pytest.fixture
def client() -> Iterator[Trubrics]:
    made = Trubrics(api_key="", host="", flush_interval=600)
    yield made
    made._stop_event.set()


@pytest.mark.slow
def test_the_sdks_deliver_each_event_once_through_an_outage_of_ten_seconds(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, client: Trubrics
) -> None:
    folder = set_up_node(tmp_path_factory, with_sdk=True)
    server = start_server(tmp_path)
    client.api_key, client.host = server.key, server.url
    script = NodeClient(folder, server.url, server.key)
    track_events(client, "before")
    client.flush()
    script.flush("before")
    server.stop()

    stopped = time.monotonic()
    track_events(client, "during")
    time.sleep(FLUSH_AFTER)
    flushes = [threading.Thread(target=client.flush), threading.Thread(target=script.flush, args=["during"])]
    for flush in flushes:
        flush.start()  # fails; the SDK retries once, after 5 seconds
    time.sleep(stopped + OUTAGE - time.monotonic())
    server = start_server(tmp_path, port=server.port, key=server.key)
    for flush in flushes:
        flush.join()

    track_events(client, "after")
    client.flush()
    script.flush("after")
    script.close()
    server.stop()
    check_records(read_records(tmp_path))


def check_records(records: list[dict[str, object]]) -> None:
    events = [event for record in records for event in parse_record(record)]
    assert len({event.event_id for event in events}) == len(events) == 3 * (6 + 3)
    for batch in ("before", "during", "after"):
        of_batch = [event for event in events if batch in str((event.event_name, event.user_id, event.metadata))]
        by_text = {event.metadata.get("prompt") or event.event_name: event for event in of_batch}
        full = by_text[f"event {batch}"]
        assert (full.session_id, full.metadata) == ("py-thread", {})
        assert str(full.event_at) == "2026-05-01 10:00:00.250000+00:00"
        prompt = by_text[f"prompt {batch}"]
        assert (prompt.event_name, prompt.session_id, str(prompt.event_at)) == (
            *("Prompt", "py-thread", "2026-05-01 09:59:58.250000+00:00"),
        )
        assert by_text[f"bare {batch}"].session_id is None
        assert by_text[f"bare prompt {batch}"].session_id is None
        script = by_text[f"js prompt {batch}"]
        assert (script.session_id, script.metadata["assistant_id"]) == ("js-thread", "gpt")
        assert str(script.event_at) == "2026-05-01 09:59:58.250000+00:00"
    generations = [event for event in events if "generation" in event.metadata]
    assert sorted(session_ids(generations)) == ["js-thread"] * 3 + ["none"] * 3 + ["py-thread"] * 3


def session_ids(events: list[Event]) -> list[str]:
    return [event.session_id or "none" for event in events]


@pytest.mark.slow
def test_an_invalid_payload_does_not_kill_the_flush_thread_of_the_sdk(tmp_path: Path, client: Trubrics) -> None:
    with run_server(tmp_path) as server:
        client.api_key, client.host = server.key, server.url
        assert client._post([{"user_id": 5}], _endpoint("publish_events"), _endpoint("event")) is False
        client.api_key = "wrong"
        assert client._post([], _endpoint("publish_events"), _endpoint("event")) is False


def _endpoint(value: str) -> "_Endpoint":
    return _Endpoint(value)


class _Endpoint:
    """Stand-in for the enums of the SDK, which have a value."""

    def __init__(self, value: str) -> None:
        self.value = value


@pytest.mark.slow
def test_a_thousand_events_from_the_sdk_become_topics_in_one_run(tmp_path: Path, client: Trubrics) -> None:
    with run_server(tmp_path) as server:
        client.api_key, client.host, client.flush_batch_size = server.key, server.url, 100
        for event in conversations(sessions=250):
            metadata = event["metadata"]
            assert isinstance(metadata, dict)
            client.track_llm(
                user_id=str(event["user_id"]),
                prompt=str(metadata["prompt"]),
                generation="Here you are.",
                thread_id=str(event["session_id"]),
                timestamp=dt.datetime.fromisoformat(str(event["timestamp"])),
            )
        client.close()  # flush() does nothing while the background thread flushes
    data_dir = tmp_path / "projects" / "demo"
    run_job(data_dir)
    with open_published(data_dir) as connection:
        rejected = "(select count(*) from marts.rejected_events)"
        query = f"select count(*), count(distinct session_id), {rejected} from marts.events"
        assert connection.execute(query).fetchall() == [(1000, 250, 0)]
        labels = connection.execute(
            "select label from marts.topics where field = 'prompt' and status = 'active'"
        ).fetchall()
    words = " ".join(label for (label,) in labels).lower()
    assert len(labels) >= 3
    assert "password" in words
