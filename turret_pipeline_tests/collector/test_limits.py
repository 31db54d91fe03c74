"""Limits of size, nesting, time and connections, and ambiguous requests."""

import asyncio
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from starlette.types import Message

from turret_pipeline.collector.app import create_app
from turret_pipeline.collector.server import cleartext_warning
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline_tests.collector.servers import Server, gzip_body, make_event, make_llm_event, run_server

SETTINGS = {
    "max_body_mb": 0.1,
    "max_nesting": 4,
    "max_text_length": 50,
    "max_long_text_length": 100,
    "max_header_kb": 4,
    "header_seconds": 0.6,
    "body_seconds": 0.6,
    "max_connections": 30,
    "max_keys": 20,
    "max_batch_events": 30,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("limits"), SETTINGS) as started:
        yield started


def request_head(server: Server, *lines: str, path: str = "/track") -> bytes:
    return "\r\n".join(
        [
            f"POST {path} HTTP/1.1",
            "host: x",
            f"x-api-key: {server.key}",
            "content-type: application/json",
            *lines,
            "",
            "",
        ]
    ).encode()


def parse_error(answer: bytes) -> tuple[int, str]:
    """Status and code of a raw response with an error object."""
    first, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)
    assert (error["success"], bool(error["error"]), bool(error["detail"])) == (False, True, True)
    return int(first.split()[1]), error["code"]


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


def test_a_silent_connection_and_slow_headers_time_out(server: Server) -> None:
    assert parse_error(server.send_raw(b"")) == (408, "REQUEST_TIMEOUT")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        for byte in b"GET /health HTTP/1.1\r\n":
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
        assert parse_error(connection.recv(4096)) == (408, "REQUEST_TIMEOUT")


def test_slow_headers_of_a_second_request_time_out(server: Server) -> None:
    answer = server.send_raw(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /heal")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"REQUEST_TIMEOUT" in answer


def test_a_slow_body_times_out(server: Server) -> None:
    answer = server.send_raw(request_head(server, "content-length: 50") + b'{"name"')
    assert parse_error(answer) == (408, "REQUEST_TIMEOUT")


def ask_without_reading(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
        time.sleep(0.02)


def test_a_client_that_reads_no_answer_is_cut_off(server: Server) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
        pytest.raises((BrokenPipeError, ConnectionResetError)),
    ):
        ask_without_reading(connection)
    assert server.get("/health").status_code == 200


def test_slow_clients_do_not_block_others(server: Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(request_head(server, "content-length: 50") + b'{"name"')
        assert server.post("/track", {"name": "n", "metadata": {}}).status_code == 200
    finally:
        for connection in slow:
            connection.close()


def test_connections_over_the_limit_are_rejected(server: Server) -> None:
    server.session.close()
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(31)]
    try:
        answers = []
        for connection in held:
            connection.settimeout(5)
            answers.append(parse_error(connection.recv(4096)))
    finally:
        for connection in held:
            connection.close()
    assert (503, "OVERLOADED") in answers
    assert set(answers) <= {(503, "OVERLOADED"), (408, "REQUEST_TIMEOUT")}
    assert server.get("/health").status_code == 200


def test_large_bodies_over_the_memory_budget_are_rejected(tmp_path: Path) -> None:
    with run_server(tmp_path, {"max_pending_mb": 0.5, "max_body_mb": 0.4}) as server:
        waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        for connection in waiting:
            connection.sendall(request_head(server, "content-length: 300000") + b"x" * 240_000)
        deadline = time.monotonic() + 5
        code = ""
        while code != "OVERLOADED" and time.monotonic() < deadline:
            body = {"name": "n", "metadata": {f"k{n}": "x" * 9_000 for n in range(30)}}
            code = server.post("/track", body).json().get("code", "")
        for connection in waiting:
            connection.close()
        assert code == "OVERLOADED"


@pytest.mark.parametrize(
    "lines",
    [
        ("content-length: 30", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 30"),
        ("content-length: 30", "content-length: 31"),
        ("content-length: 30, 30",),
        ("content-length: +30",),
        ("content-length: -1",),
        ("content-length: 0x1e",),
        ("content-length : 30",),
        ("transfer-encoding: xchunked",),
        ("transfer-encoding: chunked, identity",),
        ("x: a\x00b", "content-length: 30"),
        ("x: a\rcontent-length: 5", "content-length: 30"),
    ],
)
def test_an_ambiguous_request_is_rejected(server: Server, lines: tuple[str, ...]) -> None:
    before = len(server.read_records())
    answer = server.send_raw(request_head(server, *lines) + b'{"name":"smuggled","metadata":{}}')
    assert parse_error(answer) == (400, "INVALID_REQUEST")
    assert len(server.read_records()) == before


def test_two_keys_in_one_request_are_rejected(server: Server) -> None:
    answer = server.send_raw(
        request_head(server, f"X-API-Key: {server.key}", "content-length: 2", "connection: close") + b"{}"
    )
    assert parse_error(answer) == (401, "INVALID_API_KEY")


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    body = b'{"name":"n","metadata":{},"user_id":"%d"}'
    raw = b"".join(request_head(server, "content-length: 40") + body % number for number in range(3))
    answer = server.send_raw(raw, seconds=1)
    at = [answer.find(b'"user_id":"%d"' % number) for number in range(3)]
    assert -1 < at[0] < at[1] < at[2]


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/track/..%2f..%2fetc", "/%2e%2e/x", "//tracks", "/", "//", "/docs/x"]
)
def test_unknown_paths_are_not_found(server: Server, path: str) -> None:
    answer = server.send_raw(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert parse_error(answer) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("//track", {"name": "n", "metadata": {}}),
        ("/track/", {"name": "n", "metadata": {}}),
        ("//v1//events/", [{"name": "n"}]),
        ("//publish_events", [make_event()]),
        ("/publish_llm_events/", [make_llm_event()]),
        ("/api/ingestion//publish_segment_events", [make_event()]),
        ("//api/ingestion/identify_segment_users/", [{"user_id": "u"}]),
    ],
)
def test_surplus_slashes_change_nothing(server: Server, path: str, body: object) -> None:
    before = len(server.read_records())
    raw = json.dumps(body).encode()
    answer = server.send_raw(request_head(server, f"content-length: {len(raw)}", "connection: close", path=path) + raw)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(server.read_records()) == before + 1


@pytest.mark.parametrize("path", ["/health/", "//ready", "/metrics/", "/docs/", "/openapi.json/"])
def test_surplus_slashes_change_nothing_for_pages(server: Server, path: str) -> None:
    assert server.get(path).status_code == 200


def test_only_configured_origins_may_send(server: Server, tmp_path: Path) -> None:
    preflight = {
        "origin": "https://app.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-api-key",
    }
    rejected = server.session.options(server.url + "/publish_events", headers=preflight)
    assert rejected.status_code == 405
    assert not [name for name in rejected.headers if name.lower().startswith("access-control")]
    with run_server(tmp_path, {"cors_origins": "https://app.example.com"}) as open_server:
        allowed = open_server.session.options(open_server.url + "/publish_events", headers=preflight)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://app.example.com"
        assert {"content-type", "x-api-key"} <= set(allowed.headers["access-control-allow-headers"].lower().split(", "))
        answer = open_server.post("/publish_events", [make_event()], origin="https://app.example.com")
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        error = open_server.post("/publish_events", [make_event()], key="x", origin="https://app.example.com")
        assert error.headers["access-control-allow-origin"] == "https://app.example.com"
        other = open_server.session.options(
            open_server.url + "/publish_events", headers=preflight | {"origin": "https://evil.example"}
        )
        assert other.status_code == 400
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("host", "warns"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("10.0.0.1", True)],
)
def test_serving_beyond_this_machine_without_tls_warns(host: str, warns: bool) -> None:
    assert (cleartext_warning(CollectorSettings(host=host)) is not None) == warns
    assert cleartext_warning(CollectorSettings(host=host, tls_certificate=Path("c"), tls_key=Path("k"))) is None


def test_a_burst_of_clients_is_served(server: Server) -> None:
    statuses: list[int] = []

    def send() -> None:
        raw = b'{"name":"n","metadata":{}}'
        answer = server.send_raw(request_head(server, f"content-length: {len(raw)}", "connection: close") + raw)
        statuses.append(int(answer.split()[1]))

    threads = [threading.Thread(target=send) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 25


def test_the_collector_serves_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make, *more], check=True, capture_output=True)
    with run_server(tmp_path, {"tls_certificate": certificate, "tls_key": key}) as server:
        url = f"https://127.0.0.1:{server.port}/health"
        answer = requests.get(url, verify=str(certificate), headers={"connection": "close"}, timeout=10)
        assert answer.json() == {"status": "ok"}


def test_an_internal_error_hides_its_details(tmp_path: Path) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    app = create_app(CollectorSettings(data_dir=tmp_path))  # without its startup, /ready raises an error
    scope = {"type": "http", "method": "GET", "path": "/ready", "headers": [], "query_string": b"", "root_path": ""}

    async def get_ready() -> None:
        await app(scope, receive, send)

    with pytest.raises(AttributeError):
        asyncio.run(get_ready())
    body = json.loads(sent[1]["body"])
    assert (sent[0]["status"], body["code"]) == (500, "INTERNAL_ERROR")
    assert "Attribute" not in str(body)
