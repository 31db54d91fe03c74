"""`turret fields`: show the types of the metadata fields, and set them.

Types that the user sets are stored in a file in the data folder and take effect with the next run.
"""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console, print_pending, write_json
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.fields.overrides import find_contradiction
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline.storage.field_overrides import FieldOverride
from turret_pipeline.tables import FIELD_TYPES

if TYPE_CHECKING:
    from turret_pipeline.reports.published_tables import PublishedTables

fields = typer.Typer(
    help="List the metadata fields with their types, or set a type. Fields whose type is uncertain come first. "
    "Types that you set take effect with the next run. "
    "The setting field_types (TURRET_FIELD_TYPES) takes precedence over types set here, and these over detection.",
    epilog="Examples: turret fields; turret fields --json; turret fields set plan enum; turret fields unset plan",
    invoke_without_command=True,
    rich_markup_mode=None,
)

MAX_FIELDS = 200
"""Number of fields in the table for a terminal."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="Field name; `turret fields` lists them.")]


@fields.callback()
def list_fields(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one row per field.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """List the fields of the published tables, and changes that wait for the next run."""
    if context.invoked_subcommand is not None:
        if as_json or data_dir:
            raise TurretError(f"Put options after the command: turret fields {context.invoked_subcommand} ...")
        return
    settings, published = _open_data_dir(data_dir)
    frame = published.query("select * from marts.fields order by is_uncertain desc, field")
    if as_json:
        write_json(frame.write_json())
        return
    console = new_console(stderr=False)
    console.print(_build_table(_most_frequent(frame)) if frame.height else "No event has metadata.")
    if frame["is_uncertain"].any():
        console.print_lines("", "A type with a question mark is uncertain: the values nearly have another type.")
    if frame.height > MAX_FIELDS:
        console.print_lines(f"Further fields, with fewer events: {frame.height - MAX_FIELDS:,} (turret fields --json)")
    if pending := _describe_pending(frame, published.data.field_overrides.read_types(settings.field_types)):
        console.print_lines("", "Waiting for the next run:", *(f"  {line}" for line in pending))


@fields.command("set", epilog="Examples: turret fields set plan enum; turret fields set note text --force")
def set_type(
    name: Name,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"One of: {', '.join(FIELD_TYPES)}.")],
    force: Annotated[
        bool, typer.Option("--force", help="Set the type even if the values contradict it or the field is unknown.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Set the type of a field, from the next run on."""
    settings, published = _open_data_dir(data_dir)
    if kind not in FIELD_TYPES:
        raise TurretError(f"Unknown type {kind!r}. Available: {', '.join(FIELD_TYPES)}.")
    _check_not_in_settings(settings, name)
    objection = _find_objection(published, name, kind)
    if objection and not force:
        raise TurretError(f"{objection} To set the type anyway, use --force.")
    set_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    published.data.field_overrides.set(FieldOverride(name, kind, set_at, is_forced=objection is not None))
    print_pending(
        published,
        f"{name} is set to {kind}.{f' Forced: {objection}' if objection else ''} It takes effect with the next run",
    )


@fields.command("unset", epilog="Example: turret fields unset plan")
def unset_type(name: Name, data_dir: DataDirOption = None) -> None:
    """Unset the type of a field: it is detected again in the next run."""
    _, published = _open_data_dir(data_dir)
    removed = published.data.field_overrides.unset(name)
    print_pending(published, f"{name} is no longer set to {removed.type}. Its type is detected again with the next run")


def _open_data_dir(data_dir: Path | None) -> tuple[Settings, "PublishedTables"]:
    from turret_pipeline.reports.published_tables import PublishedTables

    settings = load_settings(data_dir=data_dir)
    return settings, PublishedTables.of_settings(settings)


def _check_not_in_settings(settings: Settings, name: str) -> None:
    """Raise TurretError if the setting has a type for the field: one in the file would have no effect."""
    if kind := settings.field_types.get(name):
        raise TurretError(
            f"The setting field_types (TURRET_FIELD_TYPES) sets {name} to {kind} and takes precedence: change it there."
        )


def _find_objection(published: "PublishedTables", name: str, kind: str) -> str | None:
    """Reason why the field cannot have this type, as a sentence; None if it can."""
    known = published.query("select field from marts.fields order by field")["field"].to_list()
    values = published.data.lake.scan("event_values").filter(pl.col("field") == name).collect()
    if values.is_empty():
        return f"No event has a field {name!r}. Available: {list_names(known)}."
    (facts,) = profile_fields(values)
    found = find_contradiction(facts, kind)
    return found and f"The field {name} cannot be {kind}: {found}."


def _most_frequent(frame: pl.DataFrame) -> pl.DataFrame:
    """The MAX_FIELDS fields of most events: those with an uncertain type first, by name."""
    most = frame.sort("event_count", "field", descending=[True, False]).head(MAX_FIELDS)
    return most.sort("is_uncertain", "field", descending=[True, False])


def _build_table(frame: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("field", overflow="ellipsis", no_wrap=True, max_width=40)  # a folded name could forge a line
    table.add_column("type", no_wrap=True)
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("distinct", justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for row in frame.iter_rows(named=True):
        source = f"Set by you (detected: {row['detected_type']}). " if row["is_overridden"] else ""
        counts = (f"{row[name]:,}" for name in ("event_count", "distinct_count"))
        kind = f"{row['type']} ?" if row["is_uncertain"] else row["type"]
        table.add_row(row["field"], kind, *counts, source + row["reason"])
    return table


def _describe_pending(frame: pl.DataFrame, overridden: dict[str, str]) -> list[str]:
    """Overrides that the next run will apply, and overrides that it will undo."""
    rows = {row["field"]: row for row in frame.iter_rows(named=True)}
    to_apply = {name: kind for name, kind in overridden.items() if not (name in rows and _is_applied(rows[name], kind))}
    to_detect = [name for name, row in rows.items() if row["is_overridden"] and name not in overridden]
    return [
        *(f"{name} becomes {kind}" for name, kind in sorted(to_apply.items())),
        *(f"{name} is detected again" for name in to_detect),
    ]


def _is_applied(row: dict[str, object], kind: str) -> bool:
    return bool(row["is_overridden"]) and row["type"] == kind
