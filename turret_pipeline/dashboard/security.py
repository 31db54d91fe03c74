"""Protection of every response and request: security headers, and the names under which the dashboard answers.

A page of another site can make a browser send requests to this machine, and a name of another site can point to its
address (DNS rebinding). So a request must name a host that is known, and one that changes something must come from a
page of the dashboard itself. Programs that are not browsers can read with a token: they send no header about a page.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from turret_pipeline.config.addresses import is_wildcard, normalize_host

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SAFE_METHODS = {"GET", "HEAD"}
FOREIGN = "This request comes from a page of another site.\n"
UNKNOWN_HOST = "Unknown host. Add the name to allowed_hosts in table [dashboard] of turret.toml.\n"


class ProtectionMiddleware:
    """Rejects requests with an unknown host or a foreign origin, and adds the security headers to all responses."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = {normalize_host(host) for host in (*hosts, *LOOPBACK_NAMES) if not is_wildcard(host)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. The dashboard has no websockets."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await WebSocketClose(code=1008)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        problem = self._find_problem(scope)
        app = self._app if problem is None else PlainTextResponse(problem, status_code=403)
        await app(scope, receive, send_with_headers)

    def _find_problem(self, scope: Scope) -> str | None:
        """The reason to reject a request; None if it is fine."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name_of(hosts[0]) not in self._hosts:
            return UNKNOWN_HOST
        is_safe = scope["method"] in SAFE_METHODS
        return None if _is_own(headers, hosts[0], scope["scheme"], is_safe=is_safe) else FOREIGN


def _is_own(headers: Headers, host: str, scheme: str, *, is_safe: bool) -> bool:
    """True if a page of the dashboard sent the request, or if it is safe and no page, or a link, caused it."""
    origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
    if any(not _is_origin_of(origin, host, scheme) for origin in origins):
        return False
    if not is_safe:
        return site == "same-origin" or (site is None and bool(origins))
    if site in {None, "same-origin", "none"}:
        return True
    mode, target = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return mode == "navigate" and target == "document"  # a link on another site; no frame, image or script


def _is_origin_of(origin: str, host: str, scheme: str) -> bool:
    """True if the origin is that of the host; the origin "null" of sandboxed pages is not.

    A proxy may end TLS, so that a page under https sends requests that arrive under http. The reverse is foreign.
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    schemes = {"https"} if scheme == "https" else {"http", "https"}
    if parts.scheme not in schemes:
        return False
    return _with_port(parts.netloc, parts.scheme) == _with_port(host, parts.scheme)


def _with_port(host: str, scheme: str) -> tuple[str, str]:
    """The host in lower case and its port, by default that of the scheme."""
    name, port = _split(host)
    return name, port or {"http": "80", "https": "443"}[scheme]


def _name_of(host: str) -> str:
    """The host without its port, as browsers write it; empty if it is not a host."""
    try:
        return normalize_host(_split(host)[0])
    except ValueError:
        return ""


def _split(host: str) -> tuple[str, str]:
    """Name and port of a host; the port is empty if it is missing. The colons of an IPv6 address are in brackets."""
    name, mark, port = host.rpartition(":")
    has_port = mark and port.isascii() and port.isdigit() and not name.endswith(":")
    return (name.lower(), port) if has_port else (host.lower(), "")
