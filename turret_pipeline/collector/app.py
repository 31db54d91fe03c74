"""ASGI application of one worker: routes, error responses, startup and shutdown."""

import asyncio
import contextlib
import difflib
import functools
import logging
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from turret_pipeline.collector.access_control import AccessControl
from turret_pipeline.collector.api_errors import INTERNAL_ERROR, METHOD_NOT_ALLOWED, NOT_FOUND, ApiError
from turret_pipeline.collector.documentation import Documentation
from turret_pipeline.collector.endpoints import TRUBRICS_PARSERS, Endpoints
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.health import Health
from turret_pipeline.collector.keys import KeyFile, KeyRing
from turret_pipeline.collector.metrics_middleware import MetricsMiddleware
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.server import tune_garbage_collection
from turret_pipeline.collector.surplus_slashes import SurplusSlashes
from turret_pipeline.config.collector import CollectorSettings, load_collector_settings
from turret_pipeline.escaping import escape_line

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
_KEY_REFRESH_SECONDS = 0.5
_SHOWN_CHARACTERS = 100


def create_app(settings: CollectorSettings | None = None) -> ASGIApp:
    """ASGI application of one worker."""
    settings = settings or load_collector_settings()
    ring = KeyRing(KeyFile(settings.folder))
    committer = Committer(settings)
    endpoints = Endpoints(settings, AccessControl(ring, settings.burst_per_second), committer)
    health, documentation = Health(committer), Documentation(settings)
    posts: dict[str, Handler] = {TRACK: endpoints.track, V1_EVENTS: endpoints.events}
    posts |= {prefix + path: endpoints.trubrics for prefix in ("", TRUBRICS_PREFIX) for path in TRUBRICS_PARSERS}
    gets: dict[str, Handler] = {
        "/health": health.health,
        "/ready": health.ready,
        "/metrics": health.metrics,
        "/openapi.json": documentation.openapi,
        "/docs": documentation.page,
    }
    paths = [*posts, *gets]
    app = Starlette(
        routes=[
            *(Route(path, handler, methods=["POST"]) for path, handler in posts.items()),
            *(Route(path, handler, methods=["GET"]) for path, handler in gets.items()),
        ],
        middleware=_cors(settings),
        exception_handlers={
            ApiError: _api_error,
            HTTPException: functools.partial(_http_error, paths),
            Exception: _internal_error,
        },
        lifespan=lambda _: _lifespan(ring, committer),
    )
    app.router.redirect_slashes = False
    return SurplusSlashes(MetricsMiddleware(app, paths), paths)


@contextlib.asynccontextmanager
async def _lifespan(ring: KeyRing, committer: Committer) -> AsyncIterator[None]:
    """Open the storage and read the keys; at the end store all waiting events and finish the files."""
    await committer.start()
    _refresh_keys(ring)
    watch = asyncio.create_task(_watch_keys_and_parent(ring))
    tune_garbage_collection()
    try:
        yield
    finally:
        watch.cancel()
        await committer.close()


async def _watch_keys_and_parent(ring: KeyRing) -> None:
    """Refresh the keys regularly, and stop this worker when its parent process is gone.

    Without the parent nothing would stop the worker, and it would keep the port.
    """
    parent = os.getppid()
    while os.getppid() == parent or multiprocessing.parent_process() is None:
        _refresh_keys(ring)
        await asyncio.sleep(_KEY_REFRESH_SECONDS)
    logger.warning("The parent process is gone: this worker stops")
    signal.raise_signal(signal.SIGTERM)


def _refresh_keys(ring: KeyRing) -> None:
    if warning := ring.refresh():
        logger.warning(warning)


def _cors(settings: CollectorSettings) -> list[Middleware]:
    """CORS middleware that lets pages of the configured origins post with a key; none without origins."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["POST"],
            allow_headers=["content-type", "x-api-key"],
            max_age=600,
        )
    ]


def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # by its registration above
    return error.response()


def _http_error(paths: Sequence[str], request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # by its registration above
    headers = dict(error.headers or {})
    path = escape_line(request.scope["path"][:_SHOWN_CHARACTERS])
    if error.status_code == 405:
        method = escape_line(request.method[:_SHOWN_CHARACTERS])
        message = f"{path} takes {headers.get('Allow', 'another method')} only, not {method}."
        return ApiError(METHOD_NOT_ALLOWED, message, headers=headers).response()
    similar = difflib.get_close_matches(path, paths, n=2, cutoff=0.75)
    hint = f"Did you mean {' or '.join(similar)}? " if similar else ""
    return ApiError(NOT_FOUND, f"Unknown path {path}. {hint}/docs lists all paths.").response()


def _internal_error(_: Request, __: Exception) -> Response:
    return ApiError(INTERNAL_ERROR, "Internal error: the log of the collector has the details.").response()
