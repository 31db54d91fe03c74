"""Protection of every response and request: security headers, and the names under which the dashboard answers.

A page of another site can make a browser send requests to this machine, and a name of another site can point to its
address (DNS rebinding). So a request must name a host that is known, and one that changes something must come from a
page of the dashboard itself.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class ProtectionMiddleware:
    """Rejects requests with an unknown host or a foreign origin, and adds the security headers to all responses."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, {host.lower() for host in (*hosts, *LOOPBACK_NAMES)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        problem = self._find_problem(scope["method"], Headers(scope=scope))
        app = self._app if problem is None else PlainTextResponse(problem, status_code=403)
        await app(scope, receive, send_with_headers)

    def _find_problem(self, method: str, headers: Headers) -> str | None:
        """The reason to reject a request; None if it is fine."""
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            return "Unknown host. Add the name to allowed_hosts in table [dashboard] of turret.toml.\n"
        if method in SAFE_METHODS:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        is_own = urlsplit(origin).netloc == host if origin is not None else site in {None, "same-origin"}
        if not is_own or (origin is None and site is None):
            return "This request comes from a page of another site.\n"
        return None


def _name_of(host: str) -> str:
    """The host without its port, in lower case."""
    name, mark, port = host.rpartition(":")
    return (name if mark and port.isdigit() else host).lower()
