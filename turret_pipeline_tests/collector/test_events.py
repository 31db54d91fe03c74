"""Our own POST /v1/events: backfill with ids and times of its own."""

import json
from collections.abc import Iterator

import pytest

from turret_pipeline.collector.wire.events import count_events, parse_any_event
from turret_pipeline.collector.wire.validation import MetadataLimits
from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.collector.servers import Server, event, llm_event, running, zipped

NDJSON = "application/x-ndjson"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("events"), {"max_batch_events": 1000}) as started:
        yield started


def test_events_of_all_shapes_keep_their_ids_and_times(server: Server) -> None:
    before = len(server.landed())
    items = [
        {"event_id": "e1", "name": "n", "timestamp": "2024-01-01T00:00:00Z", "metadata": {"a": 1}, "user_id": 7},
        {"event_id": "e2", "name": "n", "timestamp": 1_704_067_200},
        {"name": "n", "timestamp": 1_704_067_200_000, "session_id": "s", "plan": "free"},
        event(event_id="e4"),
        llm_event(event_id="e5"),
    ]
    answer = server.post("/v1/events", items)
    told = answer.json()
    assert (answer.status_code, told["received"], told["accepted"], told["rejected"]) == (200, 5, 5, 0)
    ids = [result["event_id"] for result in told["results"]]
    assert ids == ["e1", "e2", ids[2], "e4", "e5"]
    parsed = [part for record in server.landed()[before:] for part in parse_record(record)]
    assert [part.event_id for part in parsed] == ["e1", "e2", ids[2], "e4", "e5-prompt", "e5-generation"]
    assert [str(part.event_at)[:10] for part in parsed[:3]] == ["2024-01-01"] * 3
    assert (parsed[0].user_id, parsed[2].session_id, parsed[2].metadata) == ("7", "s", {"plan": "free"})


@pytest.mark.parametrize(
    "item",
    [
        {"name": "n", "prompt": "p", "generation": "g"},
        event(prompt="p", generation="g"),
        llm_event(),
        llm_event(event_id="e1", timestamp=None),
    ],
)
def test_limits_count_the_events_that_the_pipeline_reads(item: dict[str, object]) -> None:
    record = parse_any_event(item, MetadataLimits(max_text_length=100, max_depth=4))
    arrived = {"event_id": "e", "timestamp": "2026-05-01T10:00:00Z", **record, "received_at": "2026-05-01T10:00:00Z"}
    assert count_events(record) == len(parse_record(arrived))


def test_each_item_has_its_own_result(server: Server) -> None:
    before = len(server.landed())
    told = server.post("/v1/events", [{"name": "ok"}, {}, 5, event(timestamp="x"), {"name": "fine"}]).json()
    assert [result["status"] for result in told["results"]] == ["accepted", *["rejected"] * 3, "accepted"]
    assert [result["index"] for result in told["results"]] == [0, 1, 2, 3, 4]
    assert "name" in told["results"][1]["error"]
    assert len(server.landed()) == before + 2


def test_lines_and_gzip_are_taken_and_a_broken_line_is_its_own_result(server: Server) -> None:
    lines = b'{"name": "a"}\n\n{broken\n{"name": "b"}\r\n'
    for body, more in ((lines, {}), (zipped(lines + b"\n"), {"content_encoding": "gzip"})):
        told = server.post("/v1/events", body, content_type=NDJSON, **more).json()
        assert [result["status"] for result in told["results"]] == ["accepted", "rejected", "accepted"]
        assert "not JSON" in told["results"][1]["error"]


def test_the_same_body_again_has_the_same_results_and_is_stored_once(server: Server) -> None:
    body = [{"name": "again", "timestamp": 0}, {}, {"name": "again", "event_id": "a1"}]
    first = server.post("/v1/events", body).json()
    landed = len(server.landed())
    assert server.post("/v1/events", body).json() == first
    assert len(server.landed()) == landed


def test_equal_events_that_say_neither_id_nor_time_are_two(server: Server) -> None:
    before = len(server.landed())
    ids = [server.post("/v1/events", [{"name": "heartbeat"}]).json()["results"][0]["event_id"] for _ in range(2)]
    assert len(set(ids)) == 2
    assert len(server.landed()) == before + 2


def test_many_events_are_taken_and_more_than_the_limit_are_not(server: Server) -> None:
    assert server.post("/v1/events", [{"name": f"n{n}"} for n in range(1000)]).json()["accepted"] == 1000
    lines = "\n".join(json.dumps({"name": f"m{n}"}) for n in range(1001)).encode()
    for body, kind in ((lines, NDJSON), (json.dumps([{"name": "m"}] * 1001).encode(), "application/json")):
        answer = server.post("/v1/events", body, content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"{}", {}),
        (b"[", {}),
        (b"[]", {"content_type": "text/csv"}),
        (b"[]", {"content_encoding": "gzip"}),
        (zipped([])[:-9], {"content_encoding": "gzip"}),
        (b"[]", {"content_encoding": "br"}),
    ],
)
def test_a_body_that_cannot_be_read_is_an_invalid_request(server: Server, body: bytes, more: dict[str, str]) -> None:
    answer = server.post("/v1/events", body, **more)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
