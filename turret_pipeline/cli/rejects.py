"""`turret rejects` and `turret replay`: the rows that were refused, and reading them again."""

import functools
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError, display_path

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
RAW_SHOWN = 300


def rejects(
    reason: Annotated[str | None, typer.Option("--reason", help="Only rows of this reason code.")] = None,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Rows shown of each reason.")] = 2,
    export: Annotated[Path | None, typer.Option("--export", help="Write the rows to this file, to mend them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row per refused row.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show the rows that were refused, by reason, with examples: where they stand, what is wrong, what they say.

    Mended rows are left out. Text is shown without what identifies a person.
    """
    from turret_pipeline.events.privacy import HIDDEN
    from turret_pipeline.ingest.replay import export_rows

    found = _refused(data_dir, reason)
    if as_json:
        sys.stdout.write(found.write_json() + "\n")
        return
    console = new_console(stderr=False)
    if export is not None and (found["raw_text"] == HIDDEN).any():
        raise TurretError(
            "The text of refused rows is not kept where user ids are hashed (setting user_id_salt): mend the files "
            "themselves, then turret replay."
        )
    if export is not None:
        export_rows(found, export)
        console.print(
            f"{found.height:,} refused rows are in {display_path(export)}: mend raw_text there, "
            "then turret replay that file.",
            soft_wrap=True,
        )
        return
    if found.is_empty():
        console.print("No row is refused.")
        return
    groups = found.group_by("reason_code").len("rows").sort("rows", "reason_code", descending=[True, False])
    console.print(_table(found, groups))
    for code in groups["reason_code"]:
        for row in found.filter(pl.col("reason_code") == code).head(examples).iter_rows(named=True):
            console.print(f"\n{code}: {row['source_file']}, line {row['line_number']}", soft_wrap=True)
            console.print(f"  {row['reason']}\n  {row['raw_text'][:RAW_SHOWN]}", soft_wrap=True)
    console.print(
        "\nMend the files and run turret replay, or mend the rows: turret rejects --export FILE", soft_wrap=True
    )


def replay(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Rows that turret rejects --export wrote, and you mended.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only files with rows of this reason code.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Read refused rows again: those of FILE as you mended them; else all files that have some, as they are now.

    Files are read again too where a setting, a mapping or a newer version may make something of their rows. Rows that
    are accepted count once, also where they were accepted before. The next run publishes them.
    """
    from turret_pipeline.ingest.replay import replay_file, replay_rows
    from turret_pipeline.orchestration.assets.ingestion import arrival, reading_of
    from turret_pipeline.orchestration.resources import Workspace, locked

    console = new_console(stderr=False)
    space = Workspace(load_settings(data_dir=data_dir))
    with locked(space.root):
        if file is not None:
            found = [
                replay_rows(
                    space.sources, file, space.root / "landing", reading_of(file, space.settings), arrival(space)
                )
            ]
        else:
            of_file = _refused(data_dir, reason).group_by("source_file", "content_sha256", maintain_order=True)
            read = functools.partial(reading_of, settings=space.settings)
            found = [replay_file(space.sources, rows, read, arrival(space)) for _, rows in of_file]
    for one in found:
        counts = f"{one.accepted_count:,} of {one.refused_count:,} refused rows are accepted now"
        console.print(f"{one.source_file}: {counts}", soft_wrap=True)
        for sentence in one.refusals:
            console.print(f"  {sentence}", soft_wrap=True)
    accepted = sum(one.accepted_count for one in found)
    verdict = "The next turret run publishes what is accepted." if accepted else "Nothing more is accepted than before."
    console.print(verdict if found else "Nothing is refused.")


def _refused(data_dir: Path | None, reason: str | None) -> pl.DataFrame:
    """Rows of ``rejected_events`` that are not mended. TurretError where there is no table, or no such reason."""
    from turret_pipeline.orchestration.resources import Workspace

    space = Workspace(load_settings(data_dir=data_dir))
    lake = space.lake
    if not lake.path("rejected_events").exists():
        raise TurretError(
            f"Nothing was read into {display_path(space.root)} yet: turret run --input FILE, "
            "or name another with --data-dir."
        )
    found = lake.scan("rejected_events").filter(~pl.col("is_mended")).collect()
    if reason is None:
        return found
    codes = found["reason_code"].unique().sort().to_list()
    if reason not in codes:
        raise TurretError(f"No row is refused for {reason!r}; reasons are: {', '.join(codes) or 'none'}.")
    return found.filter(pl.col("reason_code") == reason)


def _table(found: pl.DataFrame, groups: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in (("rows", "right"), ("files", "right"), ("reason", "left"), ("such as", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for code, rows in groups.iter_rows():
        of_reason = found.filter(pl.col("reason_code") == code)
        table.add_row(f"{rows:,}", f"{of_reason['content_sha256'].n_unique():,}", code, of_reason["reason"][0])
    return table
