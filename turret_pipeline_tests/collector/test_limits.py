"""Limits of size, nesting, and numbers of keys and events."""

import json
from collections.abc import Iterator

import pytest

from turret_pipeline_tests.collector.servers import (
    Server,
    gzip_body,
    make_event,
    parse_error,
    request_head,
    run_server,
)

SETTINGS = {
    "max_body_mb": 0.1,
    "max_nesting": 4,
    "max_text_length": 50,
    "max_long_text_length": 100,
    "max_header_kb": 4,
    "max_keys": 20,
    "max_batch_events": 30,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("limits"), SETTINGS) as started:
        yield started


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {"leaf": 1}
    for level in range(depth - 1):
        value = {"list": [value]} if level % 2 else {"object": value}
    return value


def test_a_too_large_content_length_is_rejected_before_the_body_is_read(server: Server) -> None:
    answer = server.send_raw(request_head(server, "content-length: 100001"))
    assert parse_error(answer) == (413, "REQUEST_TOO_LARGE")
    assert b"connection: close" in answer


def test_a_chunked_body_that_grows_too_large_is_rejected(server: Server) -> None:
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    answer = server.send_raw(request_head(server, "transfer-encoding: chunked") + chunk * 11)
    assert parse_error(answer) == (413, "REQUEST_TOO_LARGE")


def test_other_paths_reject_compressed_bodies(server: Server) -> None:
    assert server.post("/track", gzip_body({}), content_encoding="gzip").json()["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize(("depth", "status"), [(4, 200), (5, 400), (900, 400), (5000, 400)])
def test_metadata_may_nest_up_to_the_limit(server: Server, depth: int, status: int) -> None:
    text = b'{"name": "n", "metadata": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    assert server.post("/track", text).status_code == status


def test_nesting_is_limited_in_arrays_and_on_all_paths(server: Server) -> None:
    assert server.post("/publish_events", [make_event(properties=nested(4))]).status_code == 422
    assert server.post("/v1/events", [{"name": "n", "metadata": nested(4)}]).json()["rejected"] == 1


def test_each_path_has_its_own_text_length_limit(server: Server) -> None:
    for length, tracked, published in ((50, 200, 200), (51, 400, 200), (101, 400, 422)):
        text = {"a": "x" * length}
        assert server.post("/track", {"name": "n", "metadata": text}).status_code == tracked
        assert server.post("/publish_events", [make_event(properties=text)]).status_code == published
    assert server.post("/track", {"name": "n", "metadata": {"x" * 256: 1}}).status_code == 400


WIDE = {f"k{number}": 1 for number in range(21)}


@pytest.mark.parametrize("metadata", [WIDE, {"a": [{"b": 1, "c": 2}] * 10}], ids=["flat", "nested"])
def test_an_event_may_have_so_many_keys_and_costs_no_other(server: Server, metadata: dict[str, object]) -> None:
    tracked = server.post("/track", {"name": "n", "metadata": metadata})
    assert (tracked.status_code, tracked.json()["code"]) == (400, "INVALID_REQUEST")
    message = "metadata has 21 keys or more: the limit is 20 (setting max_keys). Send fewer, or several as one text."
    assert tracked.json()["error"] == message
    published = server.post("/publish_events", [make_event(), make_event(properties=metadata)])
    assert (published.status_code, [item["index"] for item in published.json()["detail"]]) == (422, [1])
    stored = server.post("/v1/events", [{"name": "n"}, {"name": "n", "metadata": metadata}, {"name": "n"}]).json()
    assert [result["status"] for result in stored["results"]] == ["accepted", "rejected", "accepted"]
    assert stored["results"][1]["error"] == message


def test_an_event_may_have_as_many_keys_as_the_limit(server: Server) -> None:
    metadata = {f"k{number}": [1] * 50 for number in range(20)}
    assert server.post("/track", {"name": "n", "metadata": metadata}).status_code == 200


def test_a_body_may_have_so_many_events(server: Server) -> None:
    for body, kind in ((json.dumps([{"name": "n"}] * 31).encode(), "json"), (b'{"name":"n"}\n\n' * 31, "x-ndjson")):
        answer = server.post("/v1/events", body, content_type=f"application/{kind}")
        assert answer.status_code == 400
        assert answer.json()["error"] == "The body has more than 30 events: send fewer at a time."
    lines = b'\r\n \n{"name":"n"}\r{"name":"n"}\n\t\n' * 15
    assert server.post("/v1/events", lines, content_type="application/x-ndjson").json()["accepted"] == 30


@pytest.mark.parametrize(
    "headers", [b"x-filler: " + b"x" * 5000 + b"\r\n", b"x-f: x\r\n" * 1000, b"x-filler: " + b"x" * 5000]
)
def test_too_large_headers_are_rejected_complete_or_not(server: Server, headers: bytes) -> None:
    assert parse_error(server.send_raw(b"GET /health HTTP/1.1\r\n" + headers + b"\r\n")) == (431, "HEADERS_TOO_LARGE")
    assert parse_error(server.send_raw(b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n")) == (431, "HEADERS_TOO_LARGE")
