"""`turret formats`: the formats of rows that are read, how each is recognised, and what an example becomes."""

import dataclasses
import json
import sys
from typing import Annotated, Any

import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.config.loading import did_you_mean
from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats import FORMATS, MAPPED, Event, Format, parse_record
from turret_pipeline.events.formats.mapping import EXAMPLE_MAPPING

SHOWN: dict[str, Format] = {**FORMATS, MAPPED: EXAMPLE_MAPPING.format()}
"""The formats that are recognised, in the order in which a row is tried, and the one that a person describes."""

_NAME = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A format: it is shown in full.")]


def formats(
    name: _NAME = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the formats of rows that are read, in the order in which a row is tried, or show one with its example."""
    found = list(SHOWN.values()) if name is None else [_format(name)]
    if as_json:
        facts = [_facts(table) for table in found]
        sys.stdout.write(json.dumps(facts if name is None else facts[0], indent=2, ensure_ascii=False) + "\n")
    elif name is None:
        _print_list(found)
    else:
        _print_one(found[0])


def _format(name: str) -> Format:
    if name not in SHOWN:
        raise TurretError(f"There is no format {name!r}; there are: {', '.join(SHOWN)}.{did_you_mean(name, SHOWN)}")
    return SHOWN[name]


def _print_list(found: list[Format]) -> None:
    console = new_console(stderr=False)
    for table in found:
        console.print(f"{table.name}: {table.title}", style="bold")
        console.print(f"  recognised by  {_plain(table.shape.words)}", soft_wrap=True)
        console.print(f"  becomes        {_plain(table.becomes)}", soft_wrap=True)
        console.print(f"  example        {json.dumps(table.example, ensure_ascii=False)}", soft_wrap=True)
        console.print()
    console.print("Rows are tried in this order. One in full, with the events of its example: turret formats NAME")


def _print_one(table: Format) -> None:
    console = new_console(stderr=False)
    facts = _facts(table)
    lines = [
        f"{table.name}: {table.title}",
        f"Recognised by {_plain(table.shape.words)}.",
        f"A row becomes {_plain(table.becomes)}.",
        "",
        *(f"{column:<13} {' or '.join(paths)}" for column, paths in facts["columns"].items()),
        "",
        *(["[mapping]", *_toml(), ""] if table.name == MAPPED else []),
        "Example:",
        json.dumps(facts["example"], indent=2, ensure_ascii=False),
        "",
        "becomes:",
        json.dumps(facts["events"], indent=2, ensure_ascii=False),
    ]
    console.print(*lines, sep="\n", soft_wrap=True)


def _facts(table: Format) -> dict[str, Any]:
    chosen = table if table.name == MAPPED else None
    return {
        "name": table.name,
        "title": table.title,
        "recognised_by": _plain(table.shape.words),
        "becomes": _plain(table.becomes),
        "columns": {name: paths for name, paths in dataclasses.asdict(table.columns).items() if paths},
        "example": table.example,
        "events": [_event(event) for event in parse_record(table.example, chosen)],
    }


def _event(event: Event) -> dict[str, Any]:
    told = {key: value for key, value in dataclasses.asdict(event).items() if value is not None}
    return {key: value.isoformat() if key.endswith("_at") else value for key, value in told.items()}


def _toml() -> list[str]:
    given = EXAMPLE_MAPPING.model_dump(exclude_defaults=True)
    return [
        f"{key} = {json.dumps(value if len(value) > 1 or key == 'metadata' else value[0])}"
        for key, value in given.items()
    ]


def _plain(words: str) -> str:
    """Words without the marks of Markdown."""
    return words.replace("`", "")
