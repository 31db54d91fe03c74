"""Ambiguous requests, paths, origins, TLS and errors."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from starlette.types import Message

from turret_pipeline.collector.app import create_app
from turret_pipeline.collector.server import cleartext_warning
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline_tests.collector.servers import (
    Server,
    make_event,
    make_llm_event,
    parse_error,
    request_head,
    run_server,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("requests"), {}) as started:
        yield started


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
