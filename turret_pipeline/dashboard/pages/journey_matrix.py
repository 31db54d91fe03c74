"""The step matrix: where sessions are at their first, second, third ... step."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.dashboard.formats import describe_share
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_differences import (
    compare_columns,
    describe_before,
    index_changes,
    is_beyond_chance,
    tabulate_differences,
)
from turret_pipeline.dashboard.pages.journey_parts import Journeys, Side
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.journey_matrix import read_matrix
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables import END, OTHER

DEPTHS = range(2, 13)
DEPTH, NODES = 6, 15
"""Steps unless others are asked for, and nodes with a row of their own, as in ``turret journeys steps``."""

SHADES = 5
KEY = ("step_number", "node_id")


@dataclass(frozen=True)
class MatrixCell:
    """A cell: its share of the sessions, its shade from 0, what it is made of, and the list of its sessions.

    ``mark`` is an arrow up or down if the share has changed beyond chance since the previous period.
    """

    share: float
    shade: int
    hint: str
    url: str | None
    mark: str


def show_matrix(page: Page) -> Content:
    """The page."""
    journeys = Journeys(page)
    depth = parse_depth(journeys)
    rows = _read(journeys, page.state.scope(), depth)
    sides = journeys.list_sides() if rows.height else None
    nodes = rows["node_id"].unique(maintain_order=True).to_list()
    nodes = sorted(nodes, key=lambda node: {OTHER: 1, END: 2}.get(node, 0))
    named = tuple(node for node in nodes if node not in {OTHER, END})
    differences = journeys.compare(lambda scope: _read(journeys, scope, depth, named), KEY)
    tables = [_tabulate(journeys, rows, depth)]
    if sides:
        tables.append(_tabulate_differences(journeys, sides, differences))
    values = journeys.values(
        depth=depth,
        depths=list(DEPTHS),
        steps=list(range(1, depth + 1)),
        sides=sides,
        nodes=_make_rows(journeys, rows, nodes, depth, index_changes(journeys, differences, KEY)),
    )
    return Content("journey_matrix.html", "Step matrix", values, tuple(tables))


def _read(journeys: Journeys, scope: Scope, depth: int, named: tuple[str, ...] | None = None) -> pl.DataFrame:
    """The matrix of a scope that this person may see; with the rows of another scope if any are given."""
    min_users = journeys.page.min_users

    def read(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
        return read_matrix(connection, depth, NODES, min_users, named)

    rows = journeys.compute_in(scope, "matrix", read, depth, named)
    return rows.filter(pl.col("user_count") >= min_users) if min_users > 1 else rows


def parse_depth(journeys: Journeys) -> int:
    """The number of steps in the URL. Raises TurretError if it is invalid."""
    text = journeys.page.state.get("depth") or str(DEPTH)
    if text not in {str(number) for number in DEPTHS}:
        raise TurretError(f"Invalid depth {text!r}: use a number of steps from {DEPTHS[0]} to {DEPTHS[-1]}.")
    return int(text)


def _make_rows(
    journeys: Journeys,
    rows: pl.DataFrame,
    nodes: list[str],
    depth: int,
    changes: Mapping[tuple[object, ...], Row],
) -> list[tuple[str, str | None, list[MatrixCell | None]]]:
    """Each node with its label, the URL of its flow, and its cells; None where no session is on it."""
    cells = {(row["node_id"], row["step_number"]): row for row in rows.iter_rows(named=True)}
    return [
        (
            journeys.label(node),
            None if node == OTHER else journeys.link_flow(node),
            [
                _make_cell(journeys, cells.get((node, step)), depth, changes.get((step, node)))
                for step in range(1, depth + 1)
            ],
        )
        for node in nodes
    ]


def _make_cell(journeys: Journeys, row: Row | None, depth: int, change: Row | None) -> MatrixCell | None:
    if row is None:
        return None
    hint = describe_share(row["session_count"], row["total"], journeys.noun, row["low"], row["high"])
    shade = min(SHADES, int(row["share"] * 2 * SHADES + 0.999))
    if change is None:
        return MatrixCell(row["share"], shade, hint, _link(journeys, row, depth), "")
    mark = ("▲" if change["difference"] > 0 else "▼") if is_beyond_chance(change) else ""
    hint = f"{hint}; {describe_before(change, journeys.noun)}"
    return MatrixCell(row["share"], shade, hint, _link(journeys, row, depth), mark)


def _link(journeys: Journeys, row: Row, depth: int) -> str | None:
    if row["node_id"] == OTHER and journeys.page.min_users > 1:
        return None  # it has nodes of few users, which the list would tell
    return journeys.link_list("step", depth=str(depth), step=str(row["step_number"]), node=row["node_id"])


def _tabulate(journeys: Journeys, rows: pl.DataFrame, depth: int) -> TableView:
    columns = (
        ColumnView("step_number", "Step", "count"),
        ColumnView("node", journeys.node_noun),
        ColumnView("session_count", journeys.noun.capitalize(), "count", link=lambda row: _link(journeys, row, depth)),
        ColumnView("share", "Share", "share"),
        ColumnView("low", "From", "share"),
        ColumnView("high", "To", "share"),
    )
    frame = journeys.add_labels(rows, node="node_id")
    return TableView("matrix", "Step matrix", frame, columns, "Nobody takes a step.", rows_shown=1000)


def _tabulate_differences(journeys: Journeys, sides: tuple[Side, Side], differences: pl.DataFrame) -> TableView:
    columns = (
        ColumnView("step_number", "Step", "count"),
        ColumnView("node", journeys.node_noun),
        *compare_columns("session_count", journeys.noun),
    )
    return tabulate_differences(sides, journeys.add_labels(differences, node="node_id"), columns)
