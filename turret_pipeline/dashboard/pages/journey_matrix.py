"""The step matrix: where sessions are at their first, second, third ... step."""

from dataclasses import dataclass

import polars as pl

from turret_pipeline.dashboard.formats import describe_share
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_parts import Journeys
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.journey_matrix import read_matrix
from turret_pipeline.tables import END, OTHER

DEPTHS = range(2, 13)
DEPTH, NODES = 6, 15
"""Steps unless others are asked for, and nodes with a row of their own, as in ``turret journeys steps``."""

SHADES = 5


@dataclass(frozen=True)
class MatrixCell:
    """A cell: its share of the sessions, its shade from 0, what it is made of, and the list of its sessions."""

    share: float
    shade: int
    hint: str
    url: str | None


def show_matrix(page: Page) -> Content:
    """The page."""
    journeys = Journeys(page)
    depth = parse_depth(journeys)
    rows = journeys.compute("matrix", lambda connection: read_matrix(connection, depth, NODES, page.min_users), depth)
    if page.min_users > 1:
        rows = rows.filter(pl.col("user_count") >= page.min_users)
    nodes = rows["node_id"].unique(maintain_order=True).to_list()
    nodes = sorted(nodes, key=lambda node: {OTHER: 1, END: 2}.get(node, 0))
    table = _tabulate(journeys, rows, depth)
    values = journeys.values(
        depth=depth,
        depths=list(DEPTHS),
        steps=list(range(1, depth + 1)),
        nodes=_make_rows(journeys, rows, nodes, depth),
    )
    return Content("journey_matrix.html", "Step matrix", values, (table,))


def parse_depth(journeys: Journeys) -> int:
    """The number of steps in the URL. Raises TurretError if it is invalid."""
    text = journeys.page.state.get("depth") or str(DEPTH)
    if text not in {str(number) for number in DEPTHS}:
        raise TurretError(f"Invalid depth {text!r}: use a number of steps from {DEPTHS[0]} to {DEPTHS[-1]}.")
    return int(text)


def _make_rows(
    journeys: Journeys, rows: pl.DataFrame, nodes: list[str], depth: int
) -> list[tuple[str, str | None, list[MatrixCell | None]]]:
    """Each node with its label, the URL of its flow, and its cells; None where no session is on it."""
    cells = {(row["node_id"], row["step_number"]): row for row in rows.iter_rows(named=True)}
    return [
        (
            journeys.label(node),
            None if node == OTHER else journeys.link_flow(node),
            [_make_cell(journeys, cells.get((node, step)), depth) for step in range(1, depth + 1)],
        )
        for node in nodes
    ]


def _make_cell(journeys: Journeys, row: Row | None, depth: int) -> MatrixCell | None:
    if row is None:
        return None
    hint = describe_share(row["session_count"], row["total"], journeys.noun, row["low"], row["high"])
    return MatrixCell(
        row["share"], min(SHADES, int(row["share"] * 2 * SHADES + 0.999)), hint, _link(journeys, row, depth)
    )


def _link(journeys: Journeys, row: Row, depth: int) -> str | None:
    if row["node_id"] == OTHER and journeys.page.min_users > 1:
        return None  # it has nodes of few users, which the list would tell
    return journeys.link_list("step", depth=str(depth), step=str(row["step_number"]), node=row["node_id"])


def _tabulate(journeys: Journeys, rows: pl.DataFrame, depth: int) -> TableView:
    columns = (
        ColumnView("step_number", "Step", "count"),
        ColumnView("node", "Node"),
        ColumnView("session_count", journeys.noun.capitalize(), "count", link=lambda row: _link(journeys, row, depth)),
        ColumnView("share", "Share", "share"),
        ColumnView("low", "From", "share"),
        ColumnView("high", "To", "share"),
    )
    frame = journeys.add_labels(rows, node="node_id")
    return TableView("matrix", "Step matrix", frame, columns, "Nobody takes a step.", rows_shown=1000)
