"""`turret dashboard`: the pages over the published file."""

from typing import Annotated

import typer

from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.dashboard import load_dashboard_settings
from turret_pipeline.config.pipeline import reject_unknown_names


def dashboard(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; 0 picks a free one.  [default: 8080]")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Open the dashboard: topics, journeys and sessions in the browser.

    It reads the published file and shows newer results by itself. The table [projects] of turret.toml lists several
    data folders by name. On this machine, it asks for a login from the first `turret access add NAME` on. At an address
    that others can reach, it starts only then.
    """
    settings = load_dashboard_settings(host=host, port=port, data_dir=data_dir)
    reject_unknown_names()
    from turret_pipeline.dashboard.server import serve

    serve(settings)
