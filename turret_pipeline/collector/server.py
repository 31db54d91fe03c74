"""HTTP server: uvicorn with uvloop and httptools, with one or several workers."""

import gc
import logging
import logging.config
import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import uvicorn

from turret_pipeline.collector.metrics_folder import lock_metrics_folder
from turret_pipeline.collector.protocol import BoundedProtocol
from turret_pipeline.config.addresses import is_loopback, require_free_address
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.errors import TurretError
from turret_pipeline.private_files import keep_files_private
from turret_pipeline.server_log import build_log_config

logger = logging.getLogger(__name__)

APP = "turret_pipeline.collector.app:create_app"
_SHUTDOWN_SECONDS = 8
_GC_ALLOCATIONS, _GC_ROUNDS = 20_000, 20  # Python's defaults are 700 and 10


def serve(settings: CollectorSettings, app: str = APP) -> None:
    """Serve until a signal stops the server. ``app`` names the function that creates the application of a worker."""
    keep_files_private()
    logging.config.dictConfig(build_log_config())
    _raise_open_file_limit()
    require_free_address(settings.host, settings.port)
    if warning := cleartext_warning(settings):
        logger.warning(warning)
    with _shared_metrics(settings) if settings.workers > 1 else nullcontext():
        uvicorn.run(app, factory=True, **_uvicorn_options(settings))


def tune_garbage_collection() -> None:
    """Run Python's cycle collector less often. A worker calls this when it is ready to serve.

    Requests that wait for the disk hold hundreds of objects without cycles. With Python's defaults, the collector
    scanned them and all imported objects so often that it took a third of the time of a request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, _GC_ROUNDS, _GC_ROUNDS)


def cleartext_warning(settings: CollectorSettings) -> str | None:
    """Warning if keys and texts would cross a network unencrypted, else None."""
    if settings.tls_certificate is not None or is_loopback(settings.host):
        return None
    return (
        f"The collector listens on {settings.host} without TLS: others can read keys and texts on the network. "
        "Set tls_certificate and tls_key, or run it behind a proxy with TLS."
    )


@contextmanager
def _shared_metrics(settings: CollectorSettings) -> Iterator[None]:
    """Let the workers sum their metrics. Raises TurretError if the data folder cannot be written."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(lock_metrics_folder(settings.folder / "metrics"))
        except OSError as error:
            raise TurretError(f"The data folder {settings.data_dir} cannot be written: {error}.") from None
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # the library reads it on import, in the workers
        yield


def _uvicorn_options(settings: CollectorSettings) -> dict[str, Any]:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise TurretError("Only one of tls_certificate and tls_key is set: TLS needs both.")
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
        "access_log": False,  # keeps addresses, paths and keys out of the log
        "log_config": build_log_config(),
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": settings.keep_alive_seconds,
        "timeout_graceful_shutdown": _SHUTDOWN_SECONDS,
        "backlog": 4096,
    }


def _raise_open_file_limit() -> None:
    """Raise the limit of open files to the most that the system allows: each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
