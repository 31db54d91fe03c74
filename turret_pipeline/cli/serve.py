"""`turret serve`: replace this process with the collector."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from turret_pipeline.cli.collector_settings import load_checked_settings
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.collector import DATA_DIR_VARIABLE, PREFIX


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; 0 picks a free one.  [default: 8000]")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Worker processes.  [default: 1]")] = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option("--tls-certificate", help="Certificate chain (PEM); enables TLS."),
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Private key of the certificate (PEM).")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Start the collector, which receives events over HTTP.

    It writes events to the landing folders of their projects. Create keys with `turret keys create PROJECT`;
    read what arrived with `turret run --data-dir data/projects/PROJECT`.
    """
    given = {
        "host": host,
        "port": port,
        "workers": workers,
        "tls_certificate": tls_certificate,
        "tls_key": tls_key,
        "data_dir": data_dir,
    }
    load_checked_settings(**given)  # rejects invalid values before anything starts
    for name, value in given.items():
        if value is not None:
            os.environ[DATA_DIR_VARIABLE if name == "data_dir" else PREFIX + name.upper()] = str(value)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "turret_pipeline.collector"])
