"""`turret keys`: who may send events to the collector, into which project, and how many."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console
from turret_pipeline.collector.keys import Key, KeyFile, Keys
from turret_pipeline.collector.ledger import Ledger
from turret_pipeline.collector.plans import PLANS, checked_plan
from turret_pipeline.config.collector import CollectorSettings, load_collector_settings

keys = typer.Typer(
    help="Keys of the collector. Each belongs to one project, whose events nobody else's keys reach.",
    epilog="Examples: turret keys create shop; turret keys create shop --plan pro; turret keys list; "
    "turret keys rotate shop",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
Named = Annotated[str, typer.Argument(metavar="KEY", help="Id of a key, or a project that has only one.")]


@keys.command(epilog="Examples: turret keys create shop; turret keys create shop --plan custom --monthly 50000")
def create(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="Name: a-z, 0-9, _ and -.")],
    plan: Annotated[
        str | None, typer.Option("--plan", help=f"One of: {', '.join(PLANS)}.  [default: custom, without a limit]")
    ] = None,
    monthly: Annotated[int | None, typer.Option("--monthly", help="Events a month in the plan custom.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key for a project and print it, this once. A plan given here becomes that of the project."""
    file = KeyFile(load_collector_settings(data_dir=data_dir).folder)
    text, key = file.create(project, checked_plan(plan, monthly))
    _show(text, f"Key {key.key_id} of project {project} ({file.read().plan(project)}).")


@keys.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row per key.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List all keys, their projects' plans, and what was counted. Keys themselves are not kept and not shown."""
    settings = load_collector_settings(data_dir=data_dir)
    known = KeyFile(settings.folder).read()
    used = _used(settings, known)
    rows = [_row(key, known, used) for key in known.keys.values()]
    if as_json:
        sys.stdout.write(orjson.dumps(rows).decode() + "\n")
        return
    console = new_console(stderr=False)
    console.print(_table(rows) if rows else "There are no keys; `turret keys create PROJECT` makes one.")


@keys.command(epilog="Example: turret keys revoke shop")
def revoke(name: Named, data_dir: DataDir = None) -> None:
    """End a key: from the next second on it is refused."""
    key = KeyFile(load_collector_settings(data_dir=data_dir).folder).revoke(name)
    new_console(stderr=False).print(f"Key {key.key_id} of project {key.project} is revoked.")


@keys.command(epilog="Example: turret keys rotate shop")
def rotate(name: Named, data_dir: DataDir = None) -> None:
    """Make a new key in the place of this one, which ends, and print it, this once.

    To change over without a gap, create a second key first and revoke the old one when nobody uses it any more.
    """
    text, key = KeyFile(load_collector_settings(data_dir=data_dir).folder).rotate(name)
    _show(text, f"Key {key.key_id} of project {key.project}; the old one is revoked.")


def _show(text: str, sentence: str) -> None:
    """The key alone on standard output, so that a script can take it."""
    new_console().print(f"{sentence} It is shown this once:")
    sys.stdout.write(text + "\n")


def _used(settings: CollectorSettings, known: Keys) -> dict[str, int]:
    """Events of each project in its plan's present period."""
    if not (settings.folder / "ledger.sqlite").exists():
        return {}
    ledger = Ledger(settings.folder, settings.duplicate_window_seconds)
    now = dt.datetime.now(dt.UTC)
    used = {name: ledger.used(name, plan.period(now)) for name, plan in known.plans.items()}
    ledger.close()
    return used


def _row(key: Key, known: Keys, used: dict[str, int]) -> dict[str, object]:
    return {
        "key": key.key_id,
        "project": key.project,
        "plan": str(known.plan(key.project)),
        "used": used.get(key.project, 0),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _table(rows: list[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("key", "project", "plan", "used", "created", "revoked"):
        table.add_column(name, justify="right" if name == "used" else "left")
    for row in rows:
        cells = (f"{value:,}" if name == "used" else str(value or "") for name, value in row.items())
        table.add_row(*cells)
    return table
