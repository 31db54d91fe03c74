"""`turret inspect`: what the rows of files become, before anything is stored, and a mapping for unknown rows."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from turret_pipeline.cli.console import new_console, write_json
from turret_pipeline.config.loading import TOML_FILE, read_toml
from turret_pipeline.config.mapping_table import TABLE, replace_mapping, write_mapping_toml
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.config.setting_problems import PREFIX
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.line_console import LineConsole
from turret_pipeline.storage.atomic_files import atomic_replace

if TYPE_CHECKING:
    from turret_pipeline.ingest.inspection import Inspection

FIELDS_SHOWN, TEXT_SHOWN, RAW_SHOWN, ID_SHOWN = 20, 60, 300, 20


def inspect(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, folders or globs of event files.")],
    input_format: Annotated[
        str | None,
        typer.Option("--format", help="Format of all rows; `turret formats` lists them.  [default: detected per row]"),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows to read of each file.")] = 10_000,
    events: Annotated[int, typer.Option("--events", min=0, help="Events to show of each file.")] = 5,
    write: Annotated[bool, typer.Option("--write", help=f"Write the suggested mapping into {TOML_FILE}.")] = False,
    force: Annotated[bool, typer.Option("--force", help="With --write: replace the mapping that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one object per file.")] = False,
) -> None:
    """Show what the rows of files become, before anything is stored.

    It shows formats, first events, what is missing, rejected rows with their reasons, and for rows of unknown shape a
    mapping if one can read them. Settings and mapping apply as in turret run. Exit codes: 0 some rows can be read, 1
    none, 2 invalid arguments or settings.
    """
    settings = load_settings(input_format=input_format)
    found = _inspect_files(files, settings, rows, events)
    if as_json:
        write_json(json.dumps([_describe(file) for file in found], indent=2, ensure_ascii=False, default=str))
    else:
        for file in found:
            _print_file(new_console(stderr=False), file, is_hint_needed=not write)
    is_written = write and _write_suggestion(found, is_forced=force)
    if not is_written and not any(file.accepted_count for file in found):
        raise typer.Exit(1)


def _inspect_files(patterns: list[str], settings: Settings, rows: int, events: int) -> "list[Inspection]":
    from turret_pipeline.ingest.discovery import discover
    from turret_pipeline.ingest.inspection import inspect_file
    from turret_pipeline.ingest.new_files import make_parse_options

    return [
        inspect_file(path, make_parse_options(path, settings), row_limit=rows, event_limit=events)
        for path in discover(patterns)
    ]


def _write_suggestion(found: "list[Inspection]", *, is_forced: bool) -> bool:
    """Write the mapping of the files into turret.toml, and return True unless there is none.

    Raises TurretError if files need different mappings, or if a mapping is there already.
    """
    mappings = {file.suggestion.mapping for file in found if file.suggestion is not None}
    console = new_console()
    if not mappings:
        console.print_lines(f"Nothing to write: no mapping is suggested. {TOML_FILE} stays as it is.")
        return False
    if len(mappings) > 1:
        raise TurretError(
            f"The files need {len(mappings)} different mappings, and {TOML_FILE} holds one: inspect one file at a time."
        )
    if variable := os.environ.get(f"{PREFIX}MAPPING"):
        raise TurretError(f"The variable {PREFIX}MAPPING overrides {TOML_FILE} ({variable!r}): unset it first.")
    if TABLE in read_toml() and not is_forced:
        raise TurretError(f"{TOML_FILE} already has [{TABLE}]: use --force to replace it, or change it by hand.")
    file = Path(TOML_FILE).resolve()
    text = replace_mapping(file.read_text("utf-8") if file.exists() else "", mappings.pop())
    mode = file.stat().st_mode if file.exists() else None
    with atomic_replace(file, is_export=mode is None) as aside:
        aside.write_text(text, encoding="utf-8")
    if mode is not None:
        file.chmod(mode)  # it may hold secrets
    console.print_lines(f"Wrote [{TABLE}] into {TOML_FILE}. turret run reads the rows by it.")
    return True


def _print_file(console: LineConsole, file: "Inspection", *, is_hint_needed: bool) -> None:
    share = f" ({file.accepted_count / file.row_count:.1%})" if file.row_count else ""
    rows = _count(file.row_count, "row") if file.is_complete else f"the first {_count(file.row_count, 'row')}"
    console.print_lines(f"{file.name}: {rows}, {file.accepted_count:,} can be read{share}", style="bold")
    if file.event_count:
        console.print_lines(
            *(
                f"  {'' if number else name:<9} {line}"
                for name, lines in _list_facts(file)
                for number, line in enumerate(lines)
            )
        )
        console.print()
        _print_events(console, file.first_events)
    for rows_of in file.rejected.values():
        console.print_lines(
            "",
            f"  Rejected as {rows_of.code}: {rows_of.row_count:,}. Line {rows_of.line_number:,}: {rows_of.reason}",
            f"    {rows_of.raw_text[:RAW_SHOWN]}",
        )
    if file.suggestion is not None:
        _print_suggestion(console, file, is_hint_needed=is_hint_needed)
    elif "unknown_shape" in file.rejected:
        console.print_lines(
            "",
            "  No mapping that was tried reads 9 of 10 of these rows. An example of one: turret formats mapping",
        )
    console.print()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _list_facts(file: "Inspection") -> list[tuple[str, list[str]]]:
    """Sentences about the events of a file, by subject."""
    span = f", from {_format_time(file.first_at)} to {_format_time(file.last_at)} UTC" if file.first_at else ""
    fields = [f"{name} ({count:,})" for name, count in file.fields.most_common(FIELDS_SHOWN)]
    further = len(file.fields) - len(fields)
    return [
        (
            "formats",
            [", ".join(f"{name} ({_count(count, 'row')})" for name, count in file.rows_by_format.most_common())],
        ),
        ("events", [f"{file.event_count:,}{span}"]),
        ("ids", [f"{_count(len(file.users), 'user')}, {_count(len(file.sessions), 'session')} named by the source"]),
        ("missing", [MISSING[kind].format(f"{count:,}") for kind, count in file.missing.items()] or ["nothing"]),
        ("metadata", [", ".join(fields) + (f" and {further:,} more" if further > 0 else "") or "none"]),
    ]


MISSING = {
    "event_at": "events without a time: {}; they get the modification time of the file",
    "zone": "times without a zone: {}; they are read as UTC",
    "session_id": "events without a session: {}; it is derived from the user and gaps of time",
    "user_id": "events without a user: {}",
    "event_id": "events without an id: {}; it is derived from their content, so equal events count once",
    "text": "prompts, answers or calls without text: {}",
}
"""Sentences by kind of missing value; {} is the number of events."""


def _print_events(console: LineConsole, events: list[dict[str, Any]]) -> None:
    """A table of events, one per line."""
    if not events:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 2))
    for name in ("time", "name", "session", "user", "text"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for event in events:
        ids = (_shorten(event[key] or "", ID_SHOWN) for key in ("event_name", "session_id", "user_id"))
        table.add_row(_format_time(event["event_at"]), *ids, _shorten(event["text"] or "", TEXT_SHOWN))
    console.print(table)


def _print_suggestion(console: LineConsole, file: "Inspection", *, is_hint_needed: bool) -> None:
    suggestion = file.suggestion
    assert suggestion is not None
    counts = f"{suggestion.accepted_count:,} of {suggestion.parsed.row_count:,} such rows"
    toml = write_mapping_toml(suggestion.mapping).splitlines()
    console.print_lines(
        "", f"  Suggested for {TOML_FILE}; it reads {counts}:", "", *(f"    {line}" for line in toml), ""
    )
    _print_events(console, file.suggested_events)
    if file.changed_count:
        console.print_lines(
            "",
            f"  It also fits {_count(file.changed_count, 'row')} read without it, and would then read them.",
        )
    if is_hint_needed:
        console.print_lines("", "  Check that names, users and texts are right. To write it: add --write")


def _shorten(text: str, length: int) -> str:
    """The beginning of the text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}\u2026"


def _format_time(at: Any) -> str:  # noqa: ANN401 - a time of a data frame
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _describe(file: "Inspection") -> dict[str, Any]:
    """Values of an inspection for JSON."""
    suggestion = file.suggestion
    return {
        "file": file.name,
        "row_count": file.row_count,
        "is_complete": file.is_complete,
        "accepted_count": file.accepted_count,
        "rows_by_format": dict(file.rows_by_format.most_common()),
        "event_count": file.event_count,
        "user_count": len(file.users),
        "session_count": len(file.sessions),
        "first_event_at": file.first_at and file.first_at.isoformat(),
        "last_event_at": file.last_at and file.last_at.isoformat(),
        "missing": dict(file.missing),
        "metadata": dict(file.fields.most_common()),
        "first_events": file.first_events,
        "rejected": [asdict(rows) for rows in file.rejected.values()],
        "suggestion": None
        if suggestion is None
        else {
            "mapping": suggestion.mapping.model_dump(exclude_defaults=True),
            "toml": write_mapping_toml(suggestion.mapping),
            "accepted_count": suggestion.accepted_count,
            "row_count": suggestion.parsed.row_count,
            "changed_count": file.changed_count,
            "first_events": file.suggested_events,
        },
    }
