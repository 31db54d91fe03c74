"""`turret rejects` and `turret replay`: show rejected rows and read them again."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console, write_json
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.storage.data_dir import DataDir

if TYPE_CHECKING:
    from turret_pipeline.ingest.replay import ReplayResult

MAX_RAW_CHARACTERS = 300


def rejects(
    reason: Annotated[str | None, typer.Option("--reason", help="Only rows with this reason code.")] = None,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Rows to show per reason.")] = 2,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write the rows to this file, to fix them there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one row per rejected row.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Show rejected rows by reason, with examples.

    Examples have file, line, reason and text. Fixed rows are left out. Personal data in the text is masked.
    """
    found = _read_rejected(data_dir, reason)
    if as_json:
        write_json(found.write_json())
    elif export is not None:
        _export_rejected(found, export)
    elif found.is_empty():
        new_console(stderr=False).print("No rejected rows.")
    else:
        _print_rejected(found, examples)


def _export_rejected(found: pl.DataFrame, file: Path) -> None:
    """Write the rows to a file. Raises TurretError if their text was not stored."""
    from turret_pipeline.events.privacy import HIDDEN
    from turret_pipeline.ingest.replay import export_rejected_rows

    if (found["raw_text"] == HIDDEN).any():
        raise TurretError(
            "The text of rejected rows is not stored if user ids are hashed (setting user_id_salt): fix the files "
            "themselves, then run turret replay."
        )
    # not escaped: replay reads raw_text back, and must read exactly what was rejected
    export_rejected_rows(found, file)
    new_console(stderr=False).print_lines(
        f"Wrote {found.height:,} rejected rows to {display_path(file)}: fix raw_text there, "
        "then run turret replay on that file."
    )


def _print_rejected(found: pl.DataFrame, examples: int) -> None:
    console = new_console(stderr=False)
    counts_by_reason = found.group_by("reason_code").len("rows").sort("rows", "reason_code", descending=[True, False])
    console.print(_build_table(found, counts_by_reason))
    for code in counts_by_reason["reason_code"]:
        for row in found.filter(pl.col("reason_code") == code).head(examples).iter_rows(named=True):
            console.print_lines(
                "",
                f"{code}: {row['source_file']}, line {row['line_number']}",
                f"  {row['reason']}",
                f"  {row['raw_text'][:MAX_RAW_CHARACTERS]}",
            )
    console.print_lines("", "Fix the files and run turret replay, or fix single rows: turret rejects --export FILE")


def replay(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Rows written by turret rejects --export and fixed since.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only files with rows that have this reason code.")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Read rejected rows again.

    Reads the fixed rows of FILE, or without FILE all files that have rejected rows, as they are now. A changed
    setting or mapping, or a newer version, may accept more of their rows. Accepted rows are counted once, even if they
    were accepted before. The next run publishes them.
    """
    console = new_console(stderr=False)
    results = _replay(load_settings(data_dir=data_dir), file, reason)
    for result in results:
        counts = f"{result.accepted_count:,} of {result.rejected_count:,} rejected rows are accepted now"
        console.print_lines(f"{result.source_file}: {counts}", *(f"  {sentence}" for sentence in result.problems))
    accepted = sum(result.accepted_count for result in results)
    verdict = "The next turret run publishes the accepted rows." if accepted else "No further rows were accepted."
    console.print(verdict if results else "No rejected rows.")


def _replay(settings: Settings, file: Path | None, reason: str | None) -> "list[ReplayResult]":
    """Read the fixed rows of the file again, or without one all files with rejected rows."""
    from turret_pipeline.ingest.new_files import begin_ingestion, make_parse_options
    from turret_pipeline.ingest.parts import PartStore
    from turret_pipeline.ingest.replay import replay_file, replay_rows

    data = DataDir(settings.data_dir)
    if not data.root.is_dir():
        raise TurretError(_nothing_read(data))
    parts = PartStore(data.parts)
    with data.lock():
        if file is not None:
            options = make_parse_options(file, settings)
            return [replay_rows(parts, file, data.landing, options, begin_ingestion(data))]
        of_file = _read_rejected(data.root, reason).group_by("source_file", "content_sha256", maintain_order=True)
        options_of = functools.partial(make_parse_options, settings=settings)
        return [replay_file(parts, rows, options_of, begin_ingestion(data)) for _, rows in of_file]


def _nothing_read(data: DataDir) -> str:
    folder = display_path(data.root)
    return f"Nothing was read into {folder} yet: run turret run --input FILE, or choose another folder with --data-dir."


def _read_rejected(data_dir: Path | None, reason: str | None) -> pl.DataFrame:
    """Rows of ``rejected_events`` that are not fixed yet.

    Raises TurretError if nothing was read yet, or no row has the reason.
    """
    data = DataDir(load_settings(data_dir=data_dir).data_dir)
    data.prepare()
    lake = data.lake
    if not lake.path("rejected_events").exists():
        raise TurretError(_nothing_read(data))
    found = lake.scan("rejected_events").filter(~pl.col("is_mended")).collect()
    if reason is None:
        return found
    codes = found["reason_code"].unique().sort().to_list()
    if reason not in codes:
        raise TurretError(f"No rejected row has the reason {reason!r}. Available: {', '.join(codes) or 'none'}.")
    return found.filter(pl.col("reason_code") == reason)


def _build_table(found: pl.DataFrame, counts_by_reason: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in (("rows", "right"), ("files", "right"), ("reason", "left"), ("example", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for code, rows in counts_by_reason.iter_rows():
        of_reason = found.filter(pl.col("reason_code") == code)
        table.add_row(f"{rows:,}", f"{of_reason['content_sha256'].n_unique():,}", code, of_reason["reason"][0])
    return table
