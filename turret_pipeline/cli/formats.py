"""`turret formats`: the supported row formats, how each is recognised, and the events of an example."""

import dataclasses
import json
from typing import Annotated, Any

import typer

from turret_pipeline.cli.console import new_console, write_json
from turret_pipeline.config.loading import suggest
from turret_pipeline.config.mapping_table import write_mapping_toml
from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats import FORMATS, MAPPED, Event, Format, parse_record
from turret_pipeline.events.formats.mapping import EXAMPLE_MAPPING

LISTED_FORMATS: dict[str, Format] = {**FORMATS, MAPPED: EXAMPLE_MAPPING.to_format()}
"""Formats in the order in which they are tried on a row, then the mapping that the user defines."""

_NAME = Annotated[str | None, typer.Argument(metavar="NAME", help="A format to show in full.")]


def formats(
    name: _NAME = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the supported row formats, or show one in full.

    The list has the order in which formats are tried on a row.
    """
    chosen_formats = list(LISTED_FORMATS.values()) if name is None else [_get_format(name)]
    if as_json:
        facts = [_describe_format(table) for table in chosen_formats]
        write_json(json.dumps(facts if name is None else facts[0], indent=2, ensure_ascii=False))
    elif name is None:
        _print_list(chosen_formats)
    else:
        _print_format(chosen_formats[0])


def _get_format(name: str) -> Format:
    if name not in LISTED_FORMATS:
        raise TurretError(
            f"Unknown format {name!r}. Available: {', '.join(LISTED_FORMATS)}.{suggest(name, LISTED_FORMATS)}"
        )
    return LISTED_FORMATS[name]


def _print_list(chosen_formats: list[Format]) -> None:
    console = new_console(stderr=False)
    for table in chosen_formats:
        console.print(f"{table.name}: {table.title}", style="bold")
        console.print_lines(
            f"  recognised by  {_strip_markdown(table.shape.description)}",
            f"  becomes        {_strip_markdown(table.becomes)}",
            f"  example        {json.dumps(table.example, ensure_ascii=False)}",
            "",
        )
    console.print(
        "Formats are tried in this order. Details of one, with the events of its example: turret formats NAME"
    )


def _print_format(table: Format) -> None:
    facts = _describe_format(table)
    lines = [
        f"{table.name}: {table.title}",
        f"Recognised by {_strip_markdown(table.shape.description)}.",
        f"A row becomes {_strip_markdown(table.becomes)}.",
        "",
        *(f"{column:<15} {' or '.join(paths)}" for column, paths in facts["columns"].items()),
        *([f"{'same person':<15} {', '.join(facts['same_person'])}"] if facts["same_person"] else []),
        "",
        *([*write_mapping_toml(EXAMPLE_MAPPING).splitlines(), ""] if table.name == MAPPED else []),
        "Example:",
        *json.dumps(facts["example"], indent=2, ensure_ascii=False).split("\n"),
        "",
        "becomes:",
        *json.dumps(facts["events"], indent=2, ensure_ascii=False).split("\n"),
    ]
    new_console(stderr=False).print_lines(*lines)


def _describe_format(table: Format) -> dict[str, Any]:
    chosen = table if table.name == MAPPED else None
    return {
        "name": table.name,
        "title": table.title,
        "recognised_by": _strip_markdown(table.shape.description),
        "becomes": _strip_markdown(table.becomes),
        "columns": {name: paths for name, paths in dataclasses.asdict(table.columns).items() if paths},
        "same_person": [identity.evidence for identity in table.identities],
        "example": table.example,
        "events": [_event_values(event) for event in parse_record(table.example, chosen)],
    }


def _event_values(event: Event) -> dict[str, Any]:
    nothing = (None, False, 0)  # marks that are not set, and no nanoseconds
    values = {key: value for key, value in dataclasses.asdict(event).items() if value not in nothing}
    return {key: value.isoformat() if key.endswith("_at") else value for key, value in values.items()}


def _strip_markdown(words: str) -> str:
    """The text without the backticks of Markdown."""
    return words.replace("`", "")
