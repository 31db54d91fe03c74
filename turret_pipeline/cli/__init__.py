"""`turret`, the command line: arguments, messages and exit codes. The work is done by the other packages."""

import atexit
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from turret_pipeline.cli.access import access
from turret_pipeline.cli.backup import backup, restore
from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.dashboard import dashboard
from turret_pipeline.cli.doctor import doctor
from turret_pipeline.cli.export import export
from turret_pipeline.cli.fields import fields
from turret_pipeline.cli.forget import forget
from turret_pipeline.cli.formats import formats
from turret_pipeline.cli.inspect import inspect
from turret_pipeline.cli.journeys import journeys
from turret_pipeline.cli.keys import keys
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.cli.rejects import rejects, replay
from turret_pipeline.cli.report import report
from turret_pipeline.cli.run import run_and_report
from turret_pipeline.cli.send import send
from turret_pipeline.cli.serve import serve
from turret_pipeline.cli.signals import signals
from turret_pipeline.cli.topics import topics
from turret_pipeline.config.addresses import require_free_address
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.faults import describe_exception
from turret_pipeline.private_files import keep_files_private

app = typer.Typer(
    name="turret",
    help="Topics and journeys from the raw events of an AI product.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        import importlib.metadata

        new_console(stderr=False).print_lines(f"turret-pipeline {importlib.metadata.version('turret-pipeline')}")
        raise typer.Exit


@app.callback()
def turret(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Topics and journeys from the raw events of an AI product."""


@app.command(
    epilog="Examples: turret run --input data/sample; turret run --input 'dumps/*.jsonl.gz' --data-dir /srv/turret"
)
def run(
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="File, folder or glob of event files; repeatable.", show_default=False),
    ] = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="Format of all new rows; `turret formats` lists them.  [default: detected per row]"
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Folder for all output.  [default: data]")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild every table even if nothing is new.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log of every step.")] = False,
) -> None:
    """Run the whole pipeline on event files, publish the tables, and print a summary.

    Exit codes: 0 published (or nothing new), 1 not published, 2 invalid arguments or settings.
    """
    settings = load_settings(inputs=_require_files(inputs), input_format=input_format, data_dir=data_dir)
    run_and_report(settings, full_refresh=full_refresh, verbose=verbose)


@app.command(epilog="Examples: turret demo; turret demo --data-dir /tmp/turret-demo")
def demo(
    data_dir: Annotated[
        Path, typer.Option("--data-dir", help="Folder for all output, apart from that of your own events.")
    ] = Path("turret-demo"),
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log of every step.")] = False,
) -> None:
    """Run the pipeline on the sample that comes with the package, and print a summary.

    The sample holds 5,684 invented events of an AI assistant. Exit codes are those of `turret run`.
    """
    from turret_pipeline.packaged_files import SAMPLE_DIR

    run_and_report(load_settings(inputs=[str(SAMPLE_DIR)], data_dir=data_dir, object_store=""), verbose=verbose)


@app.command(epilog="Examples: turret ui; turret ui --port 3001 --data-dir /srv/turret")
def ui(
    data_dir: DataDirOption = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. The UI has no login: keep it on this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster UI with the graph, its checks and all runs of the data folder."""
    settings = load_settings(data_dir=data_dir)
    require_free_address(host, port)
    from turret_pipeline.orchestration.process_environment import NO_TELEMETRY
    from turret_pipeline.orchestration.run import prepare_dagster_home

    os.environ.update(NO_TELEMETRY)
    # `dagster dev` first tells everyone to use `dg dev`, which needs a project folder
    warnings = filter(None, (os.environ.get("PYTHONWARNINGS"), "ignore:Function `dev_command` is superseded"))
    os.environ["PYTHONWARNINGS"] = ",".join(warnings)
    os.environ["DAGSTER_HOME"] = str(prepare_dagster_home(settings))
    os.environ["TURRET_DATA_DIR"] = str(settings.data_dir)
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.execv(dagster, [dagster, "dev", "-m", "turret_pipeline.definitions", "-h", host, "-p", str(port)])


app.command(
    epilog="Examples: turret inspect dump.jsonl; turret inspect dumps --events 10; turret inspect calls.csv --write"
)(inspect)
app.command(
    epilog="Examples: turret report; turret report --since 2026-03-01 --segment plan=team; turret report --format html "
    "> report.html"
)(report)
app.command(epilog="Examples: turret dashboard; turret dashboard --port 8081 --data-dir /srv/turret")(dashboard)
app.add_typer(access, name="access")
app.add_typer(fields, name="fields")
app.add_typer(topics, name="topics")
app.add_typer(journeys, name="journeys")
app.add_typer(signals, name="signals")
app.command(epilog="Examples: turret rejects; turret rejects --reason invalid_json --export rejected.jsonl")(rejects)
app.command(epilog="Examples: turret replay; turret replay --reason unknown_shape; turret replay rejected.jsonl")(
    replay
)
app.command(
    epilog="Examples: turret forget --user u7 --dry-run; turret forget --user u7 --user u8 --yes; "
    "turret forget --before 2025-12-31; turret forget --from-file people.txt --yes"
)(forget)
app.add_typer(export, name="export")
app.command(epilog="Examples: turret backup backup.tar.gz; turret backup /backups/monday.tar --data-dir /srv/turret")(
    backup
)
app.command(
    epilog="Examples: turret restore backup.tar.gz; turret restore backup.tar.gz --data-dir /srv/turret --force"
)(restore)
app.command(epilog="Examples: turret formats; turret formats posthog; turret formats --json")(formats)
app.command(epilog="Examples: turret doctor; turret doctor --repair; turret doctor --data-dir /srv/turret")(doctor)
app.add_typer(keys, name="keys")
app.command(epilog="Examples: turret serve; turret serve --host 0.0.0.0 --port 8443 --workers 2")(serve)
app.command(
    epilog="Examples: turret send dump.jsonl.gz; turret send dumps/*.jsonl; turret send events.csv --url https://collect.example.com"
)(send)


def _require_files(inputs: list[str] | None) -> list[str] | None:
    """The inputs. Raises TurretError if one of them matches no file."""
    from turret_pipeline.ingest.discovery import discover

    if inputs:
        discover(inputs)
    return inputs


def main() -> None:
    """Run the command. A TurretError is printed without a traceback, with exit code 2; a fault with exit code 1."""
    code = 0
    keep_files_private()
    try:
        app()
    except TurretError as error:
        new_console().print_lines(str(error))
        code = 1 if isinstance(error, FaultError) else 2
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # noqa: BLE001 - printed like any error, so that no text of it reaches the terminal as it is
        new_console().print_message(describe_exception(error) or traceback.format_exc().rstrip())
        code = 1
    _exit(code)


def _exit(code: int) -> NoReturn:
    """Exit without interpreter shutdown, in which torch and duckdb together print a page of leak warnings."""
    logging.shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
