"""The server of the dashboard."""

import ctypes
import logging
import logging.config
import socket
import ssl
from contextlib import suppress

import uvicorn

from turret_pipeline.config.addresses import is_loopback
from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.access import Access
from turret_pipeline.dashboard.app import create_app
from turret_pipeline.errors import TurretError
from turret_pipeline.server_log import build_log_config

logger = logging.getLogger(__name__)

M_ARENA_MAX = -8
"""An option of glibc's mallopt."""


def serve(settings: DashboardSettings) -> None:
    """Serve until a signal stops the server.

    Raises TurretError if nothing can listen at the address, if TLS is incomplete, or if nobody could log in.
    """
    logging.config.dictConfig(build_log_config())
    _share_memory_of_threads()
    config = configure_server(settings)
    listener = _listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host.strip("[]") else settings.host
    if warning := cleartext_warning(settings):
        logger.warning(warning)
    scheme = "https" if config.is_ssl else "http"
    print(f"Dashboard: {scheme}://{host}:{port} (Ctrl+C stops it)", flush=True)  # noqa: T201 - of a server, not a command
    uvicorn.Server(config).run(sockets=[listener])


def configure_server(settings: DashboardSettings, access: Access | None = None) -> uvicorn.Config:
    """The server with its application. Raises TurretError if TLS is incomplete, or if nobody could log in."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise TurretError("Only one of tls_certificate and tls_key is set: TLS needs both.")
    config = uvicorn.Config(
        create_app(settings, access),
        log_level="warning",
        log_config=None,  # serve() configures it
        server_header=False,
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=5,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise TurretError(
            f"TLS cannot be set up with {settings.tls_certificate} and {settings.tls_key}: {error}. Give a certificate "
            "chain and its key as PEM files."
        ) from None
    return config


def cleartext_warning(settings: DashboardSettings) -> str | None:
    """Warning if passwords and texts would cross a network unencrypted, else None."""
    if settings.tls_certificate is not None or settings.trusted_proxies or is_loopback(settings.host):
        return None
    return (
        f"The dashboard listens on {settings.host} without TLS: others can read passwords and texts on the network. "
        "Set tls_certificate and tls_key, or run it behind a proxy with TLS that trusted_proxies names."
    )


def _share_memory_of_threads() -> None:
    """Let the C library keep freed memory in two arenas, not in several per thread that answers requests."""
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _listen(host: str, port: int) -> socket.socket:
    address = host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise TurretError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another address with --host and "
            "--port, or stop the process that uses it."
        ) from None
    return listener
