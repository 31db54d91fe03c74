"""All output of the commands except progress: consoles, JSON and CSV.

Commands write here and nowhere else, so that no name or text of an event reaches a terminal or spreadsheet as it is.
"""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl
from rich.progress import Task, TimeRemainingColumn
from rich.text import Text

from turret_pipeline.escaping import escape_csv_cell, escape_json, escape_text
from turret_pipeline.reports.line_console import LineConsole

if TYPE_CHECKING:
    from turret_pipeline.reports.published_tables import PublishedTables

WIDTH = 120


class TimeLeftColumn(TimeRemainingColumn):
    """Time left in a bar of progress, of work whose size is known."""

    def render(self, task: Task) -> Text:
        """The text of a task."""
        return Text("") if task.total is None else Text("left: ") + super().render(task)


def print_pending(published: "PublishedTables", sentence: str) -> None:
    """Print a sentence, followed by the command of the run that applies the change."""
    new_console(stderr=False).print_lines(f"{sentence}: {published.command('run')}")


def new_console(*, stderr: bool = True) -> LineConsole:
    """Console for standard output or error; outside a terminal it is WIDTH characters wide."""
    console = LineConsole(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def write_json(document: str) -> None:
    """Write a JSON document to standard output, for other programs."""
    sys.stdout.write(escape_json(document) + "\n")


def write_csv(rows: pl.DataFrame) -> None:
    """Write the rows as CSV to standard output, for spreadsheets. JSON has names and texts unchanged."""
    sys.stdout.write(format_csv(rows))


def format_csv(rows: pl.DataFrame) -> str:
    """The rows as CSV, for spreadsheets."""
    text = pl.col(pl.String)
    return rows.with_columns(text.map_elements(escape_csv_cell, return_dtype=pl.String)).write_csv()


def format_json_lines(documents: Iterable[str]) -> str:
    """JSON documents, one per line."""
    return "".join(f"{escape_json(document)}\n" for document in documents)


def write_text(text: str) -> None:
    """Write a text of several lines to standard output, for other programs."""
    sys.stdout.write(escape_text(text))
