"""`turret fields`: show the types of the metadata fields, and set them.

Types that the user sets are stored in a file in the data folder and take effect with the next run.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console, print_pending, write_json
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.clock import now
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError
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
    from turret_pipeline.reports.field_types import describe_pending_types, list_fields

    frame = list_fields(published)
    if as_json:
        write_json(frame.write_json())
        return
    console = new_console(stderr=False)
    console.print(_build_table(_most_frequent(frame)) if frame.height else "No event has metadata.")
    if frame["is_uncertain"].any():
        console.print_lines("", "A type with a question mark is uncertain: the values nearly have another type.")
    if frame.height > MAX_FIELDS:
        console.print_lines(f"Further fields, with fewer events: {frame.height - MAX_FIELDS:,} (turret fields --json)")
    if pending := describe_pending_types(published, settings):
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
    from turret_pipeline.reports.field_types import ContradictedTypeError, set_field_type

    settings, published = _open_data_dir(data_dir)
    try:
        objection = set_field_type(published, settings, name, kind, is_forced=force, now=now())
    except ContradictedTypeError as error:
        raise TurretError(f"{error} To set the type anyway, use --force.") from None
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
