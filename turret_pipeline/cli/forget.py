"""`turret forget`: erase persons, sessions, files and old data from the data folder."""

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.cli.progress import new_progress
from turret_pipeline.config.collector import load_collector_settings
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError, display_path, list_names
from turret_pipeline.storage.data_dir import DataDir

if TYPE_CHECKING:
    from turret_pipeline.erasure.request import Preview, Request
    from turret_pipeline.storage.remote_data import RemoteData

EXTRA_SECONDS = 10
"""Time beyond file_max_seconds after which a collector must have finished a file."""


def forget(
    users: Annotated[
        list[str] | None, typer.Option("--user", help="Id of a user; all ids of that person are erased. Repeatable.")
    ] = None,
    sessions: Annotated[list[str] | None, typer.Option("--session", help="Id of a session. Repeatable.")] = None,
    before: Annotated[
        str | None, typer.Option("--before", help="Everything before this day, such as 2026-01-31.")
    ] = None,
    files: Annotated[
        list[str] | None, typer.Option("--file", help="Everything that was read from this file. Repeatable.")
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from-file", help="A list with a line for each: user ID, session ID or file PATH."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be erased, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Erase users, sessions, files or old data.

    From the data folder and the published tables it removes events, texts that no other event has, and everything
    made from them, and publishes the tables without them. Rows that come again in an old file are dropped and
    counted. Input files outside the data folder are listed, and stay as they are. If the command is stopped, the
    next `turret forget` or `turret run` continues.
    """
    from turret_pipeline.erasure.request import Request, read_request_list

    settings = load_settings(data_dir=data_dir)
    request = Request(tuple(users or ()), tuple(sessions or ()), tuple(files or ()), _parse_day(before))
    if from_file is not None:
        request = request.joined_by(read_request_list(from_file))
    data = _open_data(settings)
    if request.is_empty():
        if not data.tombstones.pending():
            raise TurretError("Nothing to erase: pass --user, --session, --before, --file or --from-file.")
        new_console(stderr=False).print_lines("Continuing the erasure that was stopped.")
    elif not _announce(data, settings, request, is_confirmed=yes, dry_run=dry_run):
        return
    sys.argv[2:] = []  # dbt writes the command line, with the ids, into its files
    _erase(data, settings)


def _open_data(settings: Settings) -> DataDir:
    data = DataDir(settings.data_dir)
    if not data.root.is_dir():
        raise TurretError(f"The data folder {display_path(data.root)} does not exist: choose another with --data-dir.")
    return data


def _parse_day(text: str | None) -> dt.datetime | None:
    """The start of a day in UTC, or a time with a zone. Raises TurretError for anything else."""
    if text is None:
        return None
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        raise TurretError(f"Invalid day {text!r} of --before: write it like 2026-01-31.") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _announce(data: DataDir, settings: Settings, request: "Request", *, is_confirmed: bool, dry_run: bool) -> bool:
    """Show what a request removes, and add its tombstones. False for a dry run, or if the person says no."""
    from turret_pipeline.erasure.erase import add_tombstones
    from turret_pipeline.erasure.request import list_values, preview

    with data.lock():
        if (remote := _open_remote(data, settings)) is not None:
            remote.pull()
            remote.require_own_tables()
        found = preview(data, settings, request)
        _print_preview(found)
        if dry_run:
            return False
        if not (is_confirmed or _confirm()):
            new_console().print_lines("Nothing was changed.")
            return False
        add_tombstones(data.tombstones, settings, list_values(data, request), request.before)
    return True


def _open_remote(data: DataDir, settings: Settings) -> "RemoteData | None":
    """The data folder with its object store; None without one."""
    from turret_pipeline.ingest.part_notes import INGEST_MERGES
    from turret_pipeline.progress import SilentProgress
    from turret_pipeline.storage.remote_data import open_remote_data

    return open_remote_data(settings.object_store_url, data, SilentProgress(), INGEST_MERGES)


def _share(data: DataDir, settings: Settings) -> None:
    """Store the tombstones on the object store, if there is one."""
    if (remote := _open_remote(data, settings)) is not None:
        with data.lock():
            remote.pull()
            remote.commit("forget", is_final=True)


def _print_preview(found: "Preview") -> None:
    console, counts = new_console(stderr=False), found.counts
    ids = f", of {counts.id_count:,} id{'' if counts.id_count == 1 else 's'}" if counts.id_count else ""
    console.print_lines(
        f"To erase: {counts.event_count:,} events ({counts.row_count:,} rows of files, of which "
        f"{counts.rejected_count:,} rejected){ids}."
    )
    if not (counts.event_count or counts.row_count):
        console.print_lines("Nothing that was read matches: check the id, the file or the day.")
    if found.landing_files:
        console.print_lines(
            f"Landing files to rewrite: {list_names([display_path(file) for file in found.landing_files])}."
        )
    if found.outside_files:
        names = list_names([_show(file) for file in found.outside_files])
        console.print_lines(
            f"Input files that hold such rows and are not changed: {names}. Delete or clean them yourself; reading "
            "them again brings nothing back."
        )
    console.print_lines("Landing files that no run has read yet are searched too.")


def _show(file: str) -> str:
    return display_path(Path(file))


def _confirm() -> bool:
    if not sys.stdin.isatty():
        raise TurretError("Nothing was changed: erasing cannot be undone. Pass --yes to erase, or --dry-run to look.")
    return typer.confirm("Erase this? It cannot be undone.", default=False)


def _erase(data: DataDir, settings: Settings) -> None:
    """Run the pipeline without new inputs, which erases and publishes. Exits with code 1 if that fails."""
    from turret_pipeline.erasure.request import list_open_files, wait_for_open_files
    from turret_pipeline.ingest.discovery import event_files
    from turret_pipeline.ingest.parts import PartStore
    from turret_pipeline.storage.atomic_files import remove

    console = new_console(stderr=False)
    if open_files := list_open_files(data):
        seconds = load_collector_settings().file_max_seconds + EXTRA_SECONDS
        console.print_lines(
            f"Waiting up to {seconds:.0f} seconds for the collector to finish {len(open_files):,} files with such rows."
        )
        if left := wait_for_open_files(data, seconds):
            names = list_names([display_path(file) for file in left])
            console.print_lines(f"Still being written: {names}. The next turret run erases their rows.")
    if not PartStore(data.parts).content_hashes() and not any(event_files(data.landing)):
        _share(data, settings)
        remove(data.pieces)
        data.tombstones.finish()
        console.print_lines("Nothing was read yet. Rows that match are dropped when they are read.")
        return
    _publish(data, settings)
    _print_result(data)


def _publish(data: DataDir, settings: Settings) -> None:
    with new_progress() as progress:
        with progress.during("Starting"):
            from turret_pipeline.orchestration.run import run_whole_graph
        outcome = run_whole_graph(settings.model_copy(update={"inputs": []}), progress, full_refresh=True)
    if outcome.is_published:
        return
    for problem in outcome.problems:
        new_console().print_message(problem, "red")
    new_console().print_lines(
        f"The erasure is not complete: the published file {display_path(data.warehouse.published)} is still the one "
        "from before. Fix what is named above, then run turret forget to continue."
    )
    raise typer.Exit(1)


def _print_result(data: DataDir) -> None:
    last = data.tombstones.list_erasures()[-1]
    console = new_console(stderr=False)
    console.print_lines(
        f"Erased {last['event_count']:,} events ({last['row_count']:,} rows of files) and published the tables without "
        f"them. Log: {display_path(data.tombstones.folder / 'erasures.jsonl')}"
    )
    home = os.environ.get("DAGSTER_HOME")
    if home and Path(home).resolve() != data.dagster_home.resolve():
        console.print_lines(f"The run history in DAGSTER_HOME ({home}) may quote texts: delete its old runs there.")
    if projects := sorted(path.name for path in data.root.glob("projects/*") if path.is_dir()):
        console.print_lines(
            f"Projects of the collector have data folders of their own: {list_names(projects)}. Erase in each with "
            f"--data-dir {display_path(data.root / 'projects')}/NAME."
        )
