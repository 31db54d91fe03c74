"""The server of the dashboard."""

import socket

import uvicorn

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.app import create_app
from turret_pipeline.errors import TurretError


def serve(settings: DashboardSettings) -> None:
    """Serve until a signal stops the server. Raises TurretError if nothing can listen at the address."""
    app = create_app(settings)
    listener = _listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Dashboard: http://{host}:{port} (Ctrl+C stops it)", flush=True)  # noqa: T201 - of a server, not a command
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, proxy_headers=False, timeout_graceful_shutdown=5
    )
    uvicorn.Server(config).run(sockets=[listener])


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
