"""Requests are answered under known names only, and change something only from the dashboard's own pages."""

import asyncio
import socket
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from starlette.responses import PlainTextResponse

from turret_pipeline.config.addresses import normalize_host
from turret_pipeline.dashboard.app import Dashboard
from turret_pipeline.dashboard.security import HEADERS, ProtectionMiddleware
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page

T = TypeVar("T")
HOST = "turret.example.com"


def run(coroutine: Coroutine[None, None, T]) -> T:
    """The result, computed in another thread: the browser of other tests has its loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def ask(method: str = "GET", scheme: str = "http", **headers: str) -> int:
    """Status of a request with these headers (underscores for hyphens) to a dashboard known as HOST and 2001:db8::1."""

    async def answer() -> int:
        app = ProtectionMiddleware(PlainTextResponse("ok"), ["0.0.0.0", HOST, "[2001:db8::1]"])
        given = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "scheme": scheme, "path": "/", "headers": given}
        sent: list[dict[str, int]] = []

        async def send(message: dict[str, int]) -> None:
            sent.append(message)

        await app(scope, None, send)  # type: ignore[arg-type]
        return sent[0]["status"]

    return run(answer())


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8080", "127.0.0.1:9999", "[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]:80"),
        *(HOST, f"{HOST}:443", "[2001:db8::1]:8080", "[2001:DB8:0::1]"),
    ],
)
def test_a_known_host_is_answered_at_any_port(host: str) -> None:
    assert ask(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "localhost.evil.example", f"evil.{HOST}", f"{HOST}.evil.example", f"{HOST}@evil.example"),
        *("0.0.0.0:8080", "[::]", "[::2]", "[::1", "127.0.0.1:80:80", "localhost:x", "localhost:²", "localhost, evil"),
        *("2130706433", "127.1", "192.168.0.1", "localhost/evil", "null", "*"),
    ],
)
def test_another_host_is_rejected_so_that_no_name_can_be_rebound_to_this_machine(host: str) -> None:
    assert ask(host=host) == 403


def test_a_request_without_a_host_or_with_two_is_rejected() -> None:
    assert ask() == 403
    with run_dashboard(demo=Path("none")) as url:
        port = int(url.rpartition(":")[2])
        two = b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        for request in (b"GET /health HTTP/1.0\r\n\r\n", two):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request)
                status = int(connection.recv(100).split()[1])
                assert status in {400, 403}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "http://LOCALHOST:8080", "sec_fetch_site": "same-origin"}, 200),
        ({"origin": "https://localhost:8080"}, 200),  # TLS ends at a proxy
        ({"sec_fetch_site": "same-origin"}, 200),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:8080.evil.example"}, 403),
        ({"origin": "http://evil@localhost:8080"}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"origin": "ftp://localhost:8080"}, 403),
        ({"origin": "http://localhost:8080", "sec_fetch_site": "cross-site"}, 403),
        ({"origin": "http://localhost:8080", "sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"referer": "http://localhost:8080/"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_own_pages_can_change_something(method: str, headers: dict[str, str], status: int) -> None:
    assert ask(method, host="localhost:8080", **headers) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # curl
        ({"sec_fetch_site": "none"}, 200),  # typed
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}, 200),  # a link
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_other_sites_can_link_to_pages_and_not_load_them(method: str, headers: dict[str, str], status: int) -> None:
    assert ask(method, host="localhost:8080", **headers) == status


def test_ports_of_schemes_are_implied_and_tls_is_not_mixed_with_plain_pages() -> None:
    assert ask("POST", host=HOST, origin=f"https://{HOST}:443") == 200
    assert ask("POST", host=f"{HOST}:80", origin=f"http://{HOST}") == 200
    assert ask("POST", "https", host=HOST, origin=f"https://{HOST}") == 200
    assert ask("POST", "https", host=HOST, origin=f"http://{HOST}") == 403
    assert ask("POST", host="[::1]:8080", origin="http://[::1]:8080") == 200
    assert ask("POST", host="[::1]:8080", origin="http://[::1]") == 403


def test_a_websocket_is_closed() -> None:
    async def connect() -> list[dict[str, object]]:
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        app = ProtectionMiddleware(PlainTextResponse("ok"), [])
        await app({"type": "websocket", "headers": [(b"host", b"localhost")]}, None, send)  # type: ignore[arg-type]
        return sent

    assert [message["type"] for message in run(connect())] == ["websocket.close"]


@pytest.mark.parametrize("host", ["http://a.example", "a.example:80", "a.example/", "*", "", "a b", "-a", "[a]"])
def test_a_setting_of_a_host_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(ValueError, match="without scheme, port and path"):
        normalize_host(host)


def test_every_response_has_the_headers_also_that_of_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Dashboard, "_find_project", fail)
    with run_dashboard(demo=Path("none")) as url:
        rebound = httpx.get(url, headers={"host": "evil.example"})
        pages = [get_page(f"{url}/{path}") for path in ("health", "demo", "a/b/c")]
        answers = [*pages, httpx.post(f"{url}/login"), rebound]
    assert [answer.status_code for answer in answers] == [200, 500, 404, 403, 403]
    assert "ZeroDivisionError" not in answers[1].text
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
