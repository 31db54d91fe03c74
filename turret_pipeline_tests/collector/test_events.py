"""POST /v1/events: backfill of events with their own ids and times."""

import json
from collections.abc import Iterator

import pytest

from turret_pipeline.collector.wire.events import count_events, parse_any_event
from turret_pipeline.collector.wire.validation import MetadataLimits
from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.collector.servers import Server, gzip_body, make_event, make_llm_event, run_server

NDJSON = "application/x-ndjson"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("events"), {"max_batch_events": 1000}) as started:
        yield started


def test_events_of_all_formats_keep_their_ids_and_times(server: Server) -> None:
    before = len(server.read_records())
    items = [
        {"event_id": "e1", "name": "n", "timestamp": "2024-01-01T00:00:00Z", "metadata": {"a": 1}, "user_id": 7},
        {"event_id": "e2", "name": "n", "timestamp": 1_704_067_200},
        {"name": "n", "timestamp": 1_704_067_200_000, "session_id": "s", "plan": "free"},
        make_event(event_id="e4"),
        make_llm_event(event_id="e5"),
    ]
    answer = server.post("/v1/events", items)
    result = answer.json()
    assert (answer.status_code, result["received"], result["accepted"], result["rejected"]) == (200, 5, 5, 0)
    ids = [item["event_id"] for item in result["results"]]
    assert ids == ["e1", "e2", ids[2], "e4", "e5"]
    parsed = [part for record in server.read_records()[before:] for part in parse_record(record)]
    assert [part.event_id for part in parsed] == ["e1", "e2", ids[2], "e4", "e5-prompt", "e5-generation"]
    assert [str(part.event_at)[:10] for part in parsed[:3]] == ["2024-01-01"] * 3
    assert (parsed[0].user_id, parsed[2].session_id, parsed[2].metadata) == ("7", "s", {"plan": "free"})


@pytest.mark.parametrize(
    "item",
    [
        {"name": "n", "prompt": "p", "generation": "g"},
        make_event(prompt="p", generation="g"),
        make_llm_event(),
        make_llm_event(event_id="e1", timestamp=None),
    ],
)
def test_limits_count_the_events_that_the_pipeline_reads(item: dict[str, object]) -> None:
    record = parse_any_event(item, MetadataLimits(max_text_length=100, max_depth=4, max_keys=20))
    arrived = {"event_id": "e", "timestamp": "2026-05-01T10:00:00Z", **record, "received_at": "2026-05-01T10:00:00Z"}
    assert count_events(record) == len(parse_record(arrived))


def test_each_item_has_its_own_result(server: Server) -> None:
    before = len(server.read_records())
    result = server.post("/v1/events", [{"name": "ok"}, {}, 5, make_event(timestamp="x"), {"name": "fine"}]).json()
    assert [item["status"] for item in result["results"]] == ["accepted", *["rejected"] * 3, "accepted"]
    assert [item["index"] for item in result["results"]] == [0, 1, 2, 3, 4]
    assert "name" in result["results"][1]["error"]
    assert len(server.read_records()) == before + 2


def test_json_lines_and_gzip_are_accepted_and_a_broken_line_is_one_rejected_item(server: Server) -> None:
    lines = b'{"name": "a"}\n\n{broken\n{"name": "b"}\r\n'
    for body, headers in ((lines, {}), (gzip_body(lines + b"\n"), {"content_encoding": "gzip"})):
        result = server.post("/v1/events", body, content_type=NDJSON, **headers).json()
        assert [item["status"] for item in result["results"]] == ["accepted", "rejected", "accepted"]
        assert "not JSON" in result["results"][1]["error"]


def test_the_same_body_again_has_the_same_results_and_is_stored_once(server: Server) -> None:
    body = [{"name": "again", "timestamp": 1714564800}, {}, {"name": "again", "event_id": "a1"}]
    first = server.post("/v1/events", body).json()
    count = len(server.read_records())
    assert server.post("/v1/events", body).json() == first
    assert len(server.read_records()) == count


def test_equal_events_without_id_and_time_are_two_events(server: Server) -> None:
    before = len(server.read_records())
    ids = [server.post("/v1/events", [{"name": "heartbeat"}]).json()["results"][0]["event_id"] for _ in range(2)]
    assert len(set(ids)) == 2
    assert len(server.read_records()) == before + 2


def test_a_batch_over_the_event_limit_is_rejected(server: Server) -> None:
    assert server.post("/v1/events", [{"name": f"n{n}"} for n in range(1000)]).json()["accepted"] == 1000
    lines = "\n".join(json.dumps({"name": f"m{n}"}) for n in range(1001)).encode()
    for body, kind in ((lines, NDJSON), (json.dumps([{"name": "m"}] * 1001).encode(), "application/json")):
        answer = server.post("/v1/events", body, content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {}),
        (b"[", {}),
        (b"[]", {"content_type": "text/csv"}),
        (b"[]", {"content_encoding": "gzip"}),
        (gzip_body([])[:-9], {"content_encoding": "gzip"}),
        (b"[]", {"content_encoding": "br"}),
    ],
)
def test_a_body_that_cannot_be_read_is_an_invalid_request(server: Server, body: bytes, headers: dict[str, str]) -> None:
    answer = server.post("/v1/events", body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
