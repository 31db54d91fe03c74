"""`turret export`: everything about a person, for an access request, and the tables for other engines."""

import json
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from turret_pipeline.cli.console import format_csv, format_json_lines, new_console, write_text
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.cli.progress import new_progress
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.storage.atomic_files import atomic_replace

export = typer.Typer(
    epilog="Examples: turret export --user u7 --output u7.jsonl; turret export --user u7 --format csv --output u7; "
    "turret export iceberg exported",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@export.callback()
def export_user(
    context: typer.Context,
    users: Annotated[
        list[str] | None,
        typer.Option("--user", help="Id of the user, as it was sent. Repeatable.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write (jsonl), or folder with a file per table (csv).")
    ] = None,
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="Form of the rows.")] = "jsonl",
    data_dir: DataDirOption = None,
) -> None:
    """Write everything about a user to a file, or the published tables for other engines.

    Everything about a user is all rows of the published tables, with all ids of that person. Each line of jsonl is a
    row with the name of its table. Without --output, it is written to standard output.
    """
    if context.invoked_subcommand is not None:
        return
    if not users:
        raise TurretError("The user is missing: name one with --user.")
    from turret_pipeline.erasure.erase import find_forms
    from turret_pipeline.reports.person_export import export_person, flatten_lists
    from turret_pipeline.reports.published_tables import PublishedTables

    settings = load_settings(data_dir=data_dir)
    if form == "csv" and output is None:
        raise TurretError("CSV has a file per table: name a folder with --output.")
    published = PublishedTables.of_settings(settings)
    found = list(export_person(published, [one for user in users for one in find_forms(user, settings)]))
    if not found:
        raise TurretError(f"The published tables have no user {', '.join(map(repr, users))}: check the id.")
    if output is None:
        write_text(format_json_lines(_list_lines(found)))
        return
    if form == "csv":
        for name, rows in found:
            with atomic_replace(output / f"{name}.csv") as temp:
                temp.write_text(format_csv(flatten_lists(rows)), encoding="utf-8")
    else:
        with atomic_replace(output) as temp:
            temp.write_text(format_json_lines(_list_lines(found)), encoding="utf-8")
    count = sum(frame.height for _, frame in found)
    new_console(stderr=False).print_lines(f"Wrote {count:,} rows of {len(found):,} tables to {display_path(output)}.")


@export.command(
    epilog="Examples: turret export iceberg exported; turret export iceberg --catalog lakehouse --namespace assistant"
)
def iceberg(
    folder: Annotated[
        str | None,
        typer.Argument(metavar="FOLDER", help="Folder for the tables and a SQLite catalog, which is created."),
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option("--catalog", help="Write to this catalog of .pyiceberg.yaml or PYICEBERG_* instead of a folder."),
    ] = None,
    namespace: Annotated[str, typer.Option("--namespace", help="Namespace of the tables.")] = "turret",
    data_dir: DataDirOption = None,
) -> None:
    """Write the published tables as Iceberg tables, for Spark, Trino, Snowflake and others.

    A table whose rows changed since the last export gets one new snapshot; the older ones stay, also what was erased
    since (turret forget). Runs may be at work meanwhile.
    """
    from turret_pipeline.reports.iceberg import export_tables, open_catalog
    from turret_pipeline.reports.published_tables import PublishedTables

    published = PublishedTables.of_settings(load_settings(data_dir=data_dir))
    with open_catalog(folder, catalog) as target, new_progress() as progress, progress.during("Exporting tables"):
        done = list(export_tables(published, target, namespace))
    changed = [count for _, count, is_changed in done if is_changed]
    new_console(stderr=False).print_lines(
        f"Exported {len(done):,} tables to {folder or catalog}: {len(changed):,} changed, with {sum(changed):,} rows."
    )


def _list_lines(found: list[tuple[str, pl.DataFrame]]) -> list[str]:
    from turret_pipeline.reports.person_export import list_rows

    return [json.dumps(row, ensure_ascii=False, default=str) for name, rows in found for row in list_rows(name, rows)]
