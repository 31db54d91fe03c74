"""Middleware that serves paths with surplus slashes, which arise when the host of a client ends with a slash."""

import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES = re.compile("/+")


class SurplusSlashes:
    """The application with paths such as //track and /track/ for /track. All other unknown paths stay as they are."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        if scope["type"] == "http" and scope["path"] not in self._paths:
            path = _SLASHES.sub("/", scope["path"]).rstrip("/")
            if path in self._paths:
                scope["path"] = path
        await self._app(scope, receive, send)
