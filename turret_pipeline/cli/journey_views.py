"""Answers about journeys as tables for a terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from rich.table import Table

from turret_pipeline.cli.console import new_console
from turret_pipeline.tables import END, OTHER

Row = Mapping[str, Any]
Cell = Callable[[Row], str]
Column = tuple[str, str, Cell]
"""Header, left or right alignment, and the text of a row's cell."""

NAME_WIDTH = 44


def print_table(title: str, columns: Sequence[Column], rows: pl.DataFrame, top: int, note: str = "") -> None:
    """Print the first ``top`` rows under a title, and the number of further rows."""
    table = Table(box=None, pad_edge=False)
    for header, justify, _ in columns:
        is_name = justify == "left"
        table.add_column(
            header,
            justify="left" if is_name else "right",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if is_name else len(header),
            max_width=NAME_WIDTH if is_name else None,
        )
    for row in rows.head(top).to_dicts():
        table.add_row(*(cell(row) for _, _, cell in columns))
    console = new_console(stderr=False)
    console.print_lines("", title, style="bold")
    console.print(table)
    more = [f"{rows.height - top:,} more (--top {rows.height})"] if rows.height > top else []
    for line in [*more, *([note] if note else [])]:
        console.print_lines(line, style="dim")


def text_cell(name: str) -> Cell:
    """The text of a column."""
    return lambda row: str(row[name])


def count_cell(name: str) -> Cell:
    """A count; empty if it is null."""
    return lambda row: "" if row[name] is None else f"{row[name]:,}"


def interval_cell(name: str) -> Cell:
    """A share with its 95 % interval; empty if it is null."""

    def cell(row: Row) -> str:
        if row[name] is None:
            return ""
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return f"{row[name]:.1%} [{100 * low:.1f}, {100 * high:.1f}]" if low < high else f"{row[name]:.1%}"

    return cell


def share_cell(name: str) -> Cell:
    """A share in percent; empty if it is null."""
    return lambda row: "" if row[name] is None else f"{row[name]:.1%}"


def format_difference(row: Row) -> str:
    """A difference in percentage points with its 95 % interval."""
    low, high = row["difference_low"], row["difference_high"]
    return f"{100 * row['difference']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def format_q_value(row: Row) -> str:
    """A q-value with three decimals."""
    return "< 0.001" if row["q_value"] < 0.001 else f"{row['q_value']:.3f}"


def comparison_note(compared: int) -> str:
    """Note below the table of a comparison of ``compared`` differences."""
    return f"{compared:,} differences tested (q: Benjamini-Hochberg); percentage points [95 % interval]"


def duration_cell(name: str) -> Cell:
    """A duration in words; empty if it is null."""
    from turret_pipeline.journeys.facts import duration

    return lambda row: "" if row[name] is None else duration(row[name])


def print_matrix(title: str, kind: str, rows: pl.DataFrame, depth: int) -> None:
    """Print the step matrix: a row per node, a column per step."""
    wide = rows.pivot("step_number", index=["node_id", "node"], values="share")
    is_last = pl.col("node_id").replace_strict({OTHER: 1, END: 2}, default=0, return_dtype=pl.Int64)
    wide = wide.sort(is_last, maintain_order=True)
    columns: list[Column] = [(kind, "left", text_cell("node"))]
    reached = set(rows.filter(pl.col("node_id") != END)["step_number"])
    columns += [(str(step), "right", share_cell(str(step))) for step in range(1, depth + 1) if step in reached]
    print_table(title, columns, wide, wide.height)
