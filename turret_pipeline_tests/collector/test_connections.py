"""Slow, silent and too many connections."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline_tests.collector.servers import (
    Server,
    parse_error,
    request_head,
    run_server,
)

SETTINGS = {"header_seconds": 0.6, "body_seconds": 0.6, "max_connections": 30}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("connections"), SETTINGS) as started:
        yield started


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
