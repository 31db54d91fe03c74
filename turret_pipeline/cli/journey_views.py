"""Answers about journeys as tables at a terminal, as JSON, or as CSV."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from rich.table import Table

from turret_pipeline.cli.console import new_console
from turret_pipeline.journeys.facts import duration
from turret_pipeline.tables import END, OTHER

Row = Mapping[str, Any]
Cell = Callable[[Row], str]
Column = tuple[str, str, Cell]
"""Header, left or right, and what a row shows."""

NAME_WIDTH = 44


def write_rows(rows: pl.DataFrame, *, as_json: bool) -> None:
    """The rows on standard output, for other programs."""
    sys.stdout.write(rows.write_json() + "\n" if as_json else rows.write_csv())


def print_table(title: str, columns: Sequence[Column], rows: pl.DataFrame, top: int, note: str = "") -> None:
    """The first ``top`` rows under a title, and how many more there are."""
    table = Table(box=None, pad_edge=False)
    for header, side, _ in columns:
        is_name = side == "left"
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
    console.print(f"\n{title}", style="bold", soft_wrap=True)
    console.print(table)
    more = [f"{rows.height - top:,} more: --top {rows.height}"] if rows.height > top else []
    for line in [*more, *([note] if note else [])]:
        console.print(line, style="dim", markup=False, soft_wrap=True)


def named(name: str) -> Cell:
    """A name."""
    return lambda row: str(row[name])


def counted(name: str) -> Cell:
    """A count; nothing where it is not known."""
    return lambda row: "" if row[name] is None else f"{row[name]:,}"


def shared(name: str) -> Cell:
    """A share with its 95 % interval; nothing where there is no denominator."""

    def cell(row: Row) -> str:
        if row[name] is None:
            return ""
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return f"{row[name]:.1%} [{100 * low:.1f}, {100 * high:.1f}]" if low < high else f"{row[name]:.1%}"

    return cell


def percent(name: str) -> Cell:
    """A share."""
    return lambda row: "" if row[name] is None else f"{row[name]:.1%}"


def points(row: Row) -> str:
    """A difference in percentage points with its 95 % interval."""
    low, high = row["difference_low"], row["difference_high"]
    return f"{100 * row['difference']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def chance(row: Row) -> str:
    """A q-value."""
    return "< 0.001" if row["q_value"] < 0.001 else f"{row['q_value']:.3f}"


def corrected(compared: int) -> str:
    """What is said below differences that were sorted out from so many."""
    return f"{compared:,} compared and corrected for chance (q: Benjamini-Hochberg); percentage points [95 % interval]"


def timed(name: str) -> Cell:
    """A time."""
    return lambda row: "" if row[name] is None else duration(row[name])


def print_matrix(title: str, kind: str, rows: pl.DataFrame, depth: int) -> None:
    """The step matrix: a line for each node, a column for each step."""
    wide = rows.pivot("step_number", index=["node_id", "node"], values="share")
    is_last = pl.col("node_id").replace_strict({OTHER: 1, END: 2}, default=0, return_dtype=pl.Int64)
    wide = wide.sort(is_last, maintain_order=True)
    columns: list[Column] = [(kind, "left", named("node"))]
    reached = set(rows.filter(pl.col("node_id") != END)["step_number"])
    columns += [(str(step), "right", percent(str(step))) for step in range(1, depth + 1) if step in reached]
    print_table(title, columns, wide, wide.height)
