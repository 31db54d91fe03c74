"""The application: what is put together how, and its life in a worker."""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from turret_pipeline.collector.access_control import Admission
from turret_pipeline.collector.api_errors import INTERNAL_ERROR, METHOD_NOT_ALLOWED, NOT_FOUND, ApiError
from turret_pipeline.collector.documentation import Documentation
from turret_pipeline.collector.endpoints import TRUBRICS, Endpoints
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.health import Health
from turret_pipeline.collector.keys import KeyFile, KeyRing
from turret_pipeline.collector.metrics_middleware import Measured
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.server import spare_collections
from turret_pipeline.config.collector import CollectorSettings, load_collector_settings

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
_REFRESH_SECONDS = 0.5


def create_app(settings: CollectorSettings | None = None) -> ASGIApp:
    """The application of one worker."""
    settings = settings or load_collector_settings()
    ring = KeyRing(KeyFile(settings.folder))
    committer = Committer(settings)
    endpoints = Endpoints(settings, Admission(ring, settings.burst_per_second), committer)
    health, documentation = Health(committer), Documentation(settings)
    posts: dict[str, Handler] = {TRACK: endpoints.track, V1_EVENTS: endpoints.events}
    posts |= {prefix + path: endpoints.trubrics for prefix in ("", TRUBRICS_PREFIX) for path in TRUBRICS}
    gets: dict[str, Handler] = {
        "/health": health.health,
        "/ready": health.ready,
        "/metrics": health.metrics,
        "/openapi.json": documentation.openapi,
        "/docs": documentation.page,
    }
    app = Starlette(
        routes=[
            *(Route(path, handler, methods=["POST"]) for path, handler in posts.items()),
            *(Route(path, handler, methods=["GET"]) for path, handler in gets.items()),
        ],
        middleware=_cors(settings),
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _fault},
        lifespan=lambda _: _running(ring, committer),
    )
    app.router.redirect_slashes = False
    return Measured(app, [*posts, *gets])


@contextlib.asynccontextmanager
async def _running(ring: KeyRing, committer: Committer) -> AsyncIterator[None]:
    """Open files and keys; at the end store what waits and finish the files."""
    await committer.start()
    _refresh(ring)
    watch = asyncio.create_task(_watch(ring))
    spare_collections()
    try:
        yield
    finally:
        watch.cancel()
        await committer.close()


async def _watch(ring: KeyRing) -> None:
    """Keep the keys current; one of several workers ends with their parent, whose port would stay taken else."""
    parent = os.getppid()
    while os.getppid() == parent or multiprocessing.parent_process() is None:
        _refresh(ring)
        await asyncio.sleep(_REFRESH_SECONDS)
    logger.warning("The process that started this one is gone; this one stops")
    signal.raise_signal(signal.SIGTERM)


def _refresh(ring: KeyRing) -> None:
    if complaint := ring.refresh():
        logger.warning(complaint)


def _cors(settings: CollectorSettings) -> list[Middleware]:
    """Pages of the configured origins may post with a key; without any, no page may."""
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
    assert isinstance(error, ApiError)  # as registered
    return error.response()


def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # as registered
    headers = dict(error.headers or {})
    if error.status_code == 405:
        sentence = f"This path takes {headers.get('Allow', 'another method')} only."
        return ApiError(METHOD_NOT_ALLOWED, sentence, headers=headers).response()
    return ApiError(NOT_FOUND, "There is nothing at this path; /docs lists what there is.").response()


def _fault(_: Request, __: Exception) -> Response:
    return ApiError(INTERNAL_ERROR, "Something went wrong here; the log says what.").response()
