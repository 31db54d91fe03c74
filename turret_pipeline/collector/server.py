"""Starts the server: uvicorn with uvloop and httptools, one or several workers."""

import copy
import gc
import ipaddress
import logging
import logging.config
import os
import resource
import tempfile
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from turret_pipeline.collector.protocol import BoundedProtocol
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.errors import TurretError

logger = logging.getLogger(__name__)

APP = "turret_pipeline.collector.app:create_app"
_GRACE_SECONDS = 8
_ALLOCATIONS, _YOUNG_ROUNDS = 20_000, 20  # Python's own are 700 and 10


def serve(settings: CollectorSettings, app: str = APP) -> None:
    """Serve until a signal ends it; ``app`` names the function that makes the application of a worker."""
    logging.config.dictConfig(_logging())
    _allow_many_files()
    if complaint := exposure(settings):
        logger.warning(complaint)
    with tempfile.TemporaryDirectory(prefix="turret-collector-") as folder:
        if settings.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # before a worker loads the library, which reads it then
        uvicorn.run(app, factory=True, **_options(settings))


def spare_collections() -> None:
    """Let Python look for garbage in cycles seldom; a worker calls it once it is ready to serve.

    Requests that wait for the disk are hundreds of objects in no cycle, and looking through all of them and all that
    was imported, each time that some more come, took a third of a request's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, _YOUNG_ROUNDS, _YOUNG_ROUNDS)


def exposure(settings: CollectorSettings) -> str | None:
    """A sentence where keys and texts would cross a network in the clear."""
    if settings.tls_certificate is not None or _is_loopback(settings.host):
        return None
    return (
        f"The collector listens on {settings.host} without TLS: keys and what people wrote can be read on the way. "
        "Set tls_certificate and tls_key, or put a proxy that speaks TLS before it."
    )


def _options(settings: CollectorSettings) -> dict[str, Any]:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise TurretError("TLS needs both tls_certificate and tls_key: set the other one too.")
    return {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
        "loop": "uvloop",
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "on",
        "access_log": False,  # nobody's address, path or key in a log
        "log_config": _logging(),
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": settings.keep_alive_seconds,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
        "backlog": 4096,
    }


def _logging() -> dict[str, Any]:
    config = copy.deepcopy(LOGGING_CONFIG)
    config["formatters"]["default"]["fmt"] = "%(asctime)s %(levelprefix)s %(message)s"
    config["loggers"]["turret_pipeline"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _allow_many_files() -> None:
    """Each connection is an open file; take what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
