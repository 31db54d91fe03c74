"""`turret keys`: create, list, rotate and revoke the API keys of the collector."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import orjson
import typer
from rich.table import Table

from turret_pipeline.cli.collector_settings import load_checked_settings
from turret_pipeline.cli.console import new_console, write_json, write_text
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.collector import key_usage
from turret_pipeline.collector.keys import KeyFile
from turret_pipeline.collector.plans import PLANS, validate_plan

keys = typer.Typer(
    help="API keys of the collector. Each key belongs to one project and reaches that project only.",
    epilog="Examples: turret keys create shop; turret keys create shop --plan pro; turret keys list; "
    "turret keys rotate shop",
    no_args_is_help=True,
    rich_markup_mode=None,
)

KeyName = Annotated[str, typer.Argument(metavar="KEY", help="Key id, or a project that has only one key.")]


@keys.command(epilog="Examples: turret keys create shop; turret keys create shop --plan custom --monthly 50000")
def create(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="Project name: a-z, 0-9, _ and -.")],
    plan: Annotated[
        str | None, typer.Option("--plan", help=f"One of: {', '.join(PLANS)}.  [default: custom, without a limit]")
    ] = None,
    monthly: Annotated[int | None, typer.Option("--monthly", help="Events per month, for the plan custom.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Create a key for a project and print it once. --plan sets the plan of the project."""
    file = KeyFile(load_checked_settings(data_dir=data_dir).folder)
    text, key = file.create(project, validate_plan(plan, monthly))
    _print_key(text, f"Key {key.key_id} of project {project} ({file.read().plan(project)}).")


@keys.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row per key.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """List all keys with the plan and usage of their projects. Keys are stored as hashes and never shown."""
    rows = key_usage.list_keys(load_checked_settings(data_dir=data_dir))
    if as_json:
        write_json(orjson.dumps(rows).decode())
        return
    console = new_console(stderr=False)
    console.print(_build_table(rows) if rows else "No keys yet: create one with turret keys create PROJECT.")


@keys.command(epilog="Example: turret keys revoke shop")
def revoke(name: KeyName, data_dir: DataDirOption = None) -> None:
    """Revoke a key: the collector rejects it within a second."""
    key = KeyFile(load_checked_settings(data_dir=data_dir).folder).revoke(name)
    new_console(stderr=False).print_lines(f"Key {key.key_id} of project {key.project} is revoked.")


@keys.command(epilog="Example: turret keys rotate shop")
def rotate(name: KeyName, data_dir: DataDirOption = None) -> None:
    """Replace a key with a new one and print it once.

    To switch without a gap, create a second key first and revoke the old one once nobody uses it.
    """
    text, key = KeyFile(load_checked_settings(data_dir=data_dir).folder).rotate(name)
    _print_key(text, f"Key {key.key_id} of project {key.project}; the old one is revoked.")


def _print_key(text: str, sentence: str) -> None:
    """Print the key alone on standard output, so that a script can read it."""
    new_console().print_lines(f"{sentence} It is shown only once:")
    write_text(f"{text}\n")


def _build_table(rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("key", "project", "plan", "used", "created", "revoked"):
        table.add_column(name, justify="right" if name == "used" else "left")
    for row in rows:
        cells = (f"{value:,}" if name == "used" else str(value or "") for name, value in row.items())
        table.add_row(*cells)
    return table
