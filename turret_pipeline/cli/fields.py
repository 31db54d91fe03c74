"""`turret fields`: what each metadata field is, and what a person says it is.

What a person sets is kept in a file under the data folder and takes effect with the next run.
"""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.topic_editor import Place
from turret_pipeline.errors import TurretError
from turret_pipeline.fields.facts import field_facts
from turret_pipeline.fields.overrides import contradiction
from turret_pipeline.storage.field_overrides import Override
from turret_pipeline.tables import FIELD_TYPES

fields = typer.Typer(
    help="List the metadata fields with their types, or set a type. What you set takes effect with the next run. "
    "The setting field_types (TURRET_FIELD_TYPES) wins over what is set here, which wins over detection.",
    epilog="Examples: turret fields; turret fields --json; turret fields set plan enum; turret fields unset plan",
    invoke_without_command=True,
    rich_markup_mode=None,
)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A field; `turret fields` lists them.")]


@fields.callback()
def list_fields(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row per field.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the fields of the published tables, and what waits for the next run."""
    if context.invoked_subcommand is not None:
        if as_json or data_dir:
            raise TurretError(f"Options belong behind the command: turret fields {context.invoked_subcommand} ...")
        return
    place = Place(data_dir)
    frame = place.query("select * from marts.fields order by field")
    if as_json:
        sys.stdout.write(frame.write_json() + "\n")
        return
    console = new_console(stderr=False)
    console.print(_table(frame) if frame.height else "No event has metadata.")
    if waiting := _waiting(frame, place.space.field_types):
        console.print("\nWaiting for the next run:", *(f"  {line}" for line in waiting), sep="\n", soft_wrap=True)


@fields.command("set", epilog="Examples: turret fields set plan enum; turret fields set note text --force")
def set_type(
    name: Name,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"One of: {', '.join(FIELD_TYPES)}.")],
    force: Annotated[
        bool, typer.Option("--force", help="Even if the values contradict it, or there are none.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Set the type of a field; it holds in all runs from the next on."""
    place = Place(data_dir)
    if kind not in FIELD_TYPES:
        raise TurretError(f"There is no type {kind!r}; a field is one of: {', '.join(FIELD_TYPES)}.")
    _refuse_decided(place, name)
    reason = _reason_against(place, name, kind)
    if reason and not force:
        raise TurretError(f"{reason} Set another type, or add --force.")
    set_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    place.space.overrides_file.set(Override(name, kind, set_at, is_forced=reason is not None))
    place.say(f"{name} is set to {kind}.{f' Forced: {reason}' if reason else ''} It takes effect with the next run")


@fields.command("unset", epilog="Example: turret fields unset plan")
def unset_type(name: Name, data_dir: DataDir = None) -> None:
    """Take back what was set for a field: its type is detected again with the next run."""
    place = Place(data_dir)
    removed = place.space.overrides_file.unset(name)
    place.say(f"{name} is no longer set to {removed.type}. Its type is detected again with the next run")


def _refuse_decided(place: Place, name: str) -> None:
    """TurretError where the setting decides: a type in the file would have no effect."""
    if kind := place.space.settings.field_types.get(name):
        raise TurretError(
            f"The setting field_types (TURRET_FIELD_TYPES) says that {name} is {kind}, and it wins: change it there."
        )


def _reason_against(place: Place, name: str, kind: str) -> str | None:
    """A sentence that says why the field cannot be of this type; None where it can."""
    known = ", ".join(place.query("select field from marts.fields order by field")["field"]) or "none"
    values = place.space.lake.scan("event_values").filter(pl.col("field") == name).collect()
    if values.is_empty():
        return f"No event has a field {name!r}; there are: {known}."
    (facts,) = field_facts(values)
    found = contradiction(facts, kind)
    return found and f"The field {name} cannot be {kind}: {found}."


def _table(frame: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("field", overflow="fold", max_width=32)
    table.add_column("type", no_wrap=True)
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("distinct", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for row in frame.iter_rows(named=True):
        why = f"You set it; detected is {row['detected_type']}. " if row["is_overridden"] else ""
        counts = (f"{row[name]:,}" for name in ("event_count", "distinct_count"))
        table.add_row(row["field"], row["type"], *counts, why + row["reason"])
    return table


def _waiting(frame: pl.DataFrame, decided: dict[str, str]) -> list[str]:
    """What the published types do not follow yet of what a person decided, and what they still follow."""
    rows = {row["field"]: row for row in frame.iter_rows(named=True)}
    new = {name: kind for name, kind in decided.items() if not (name in rows and _follows(rows[name], kind))}
    gone = [name for name, row in rows.items() if row["is_overridden"] and name not in decided]
    return [
        *(f"{name} becomes {kind}" for name, kind in sorted(new.items())),
        *(f"{name} is detected again" for name in gone),
    ]


def _follows(row: dict[str, object], kind: str) -> bool:
    return bool(row["is_overridden"]) and row["type"] == kind
