"""Transitions between nodes, as a table and a graph."""

import polars as pl

from turret_pipeline.dashboard.formats import describe_share, format_share, format_text
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_differences import compare_columns, tabulate_differences
from turret_pipeline.dashboard.pages.journey_parts import Journeys, Side, parse_first_row, sort_rows
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.reports.journey_comparison import compare_frames
from turret_pipeline.reports.journey_transitions import read_published_transitions, read_transitions
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables import END, OTHER, START

STRONGEST = 40
"""Transitions of the graph: more would hide each other."""

EDGE = ("from_node_id", "to_node_id")
SORTABLE = (
    *("from_node", "to_node", "transition_count", "session_count", "user_count", "share"),
    *("median_seconds", "p95_seconds"),
)


def show_transitions(page: Page) -> Content:
    """The page."""
    journeys = Journeys(page)
    edges = read_edges(journeys, page.state.scope())
    found = _search(_add_names(journeys, edges), page.state.get("q"))
    rows, sort, is_descending = sort_rows(found, page.state, SORTABLE, "transition_count")
    tables = [_tabulate(journeys, rows)]
    sides = journeys.list_sides()
    if sides:
        tables.append(_compare(journeys, *sides))
    values = journeys.values(
        graph=_draw(journeys, edges), sort=sort, is_descending=is_descending, search=page.state.get("q"), sides=sides
    )
    return Content("journey_transitions.html", "Transitions", values, tuple(tables))


def read_edges(journeys: Journeys, scope: Scope) -> pl.DataFrame:
    """The transitions of a scope; those of all sessions are published."""
    min_users = journeys.page.min_users
    if scope == Scope():
        return journeys.compute_in(
            scope, "edges", lambda connection: read_published_transitions(connection, journeys.dimension)
        )
    return journeys.compute_in(scope, "edges", lambda connection: read_transitions(connection, min_users))


def _add_names(journeys: Journeys, edges: pl.DataFrame) -> pl.DataFrame:
    return journeys.add_labels(edges, from_node="from_node_id", to_node="to_node_id")


def _search(edges: pl.DataFrame, text: str) -> pl.DataFrame:
    """The rows in whose names the text occurs."""
    if not text:
        return edges
    name = pl.col("from_node", "to_node").str.to_lowercase()
    return edges.filter(pl.any_horizontal(name.str.contains(text.lower(), literal=True)))


def _tabulate(journeys: Journeys, rows: pl.DataFrame) -> TableView:
    center = journeys.page.state
    columns = (
        ColumnView("from_node", "From", link=lambda row: _center(journeys, row["from_node_id"]), is_sortable=True),
        ColumnView("to_node", "To", link=lambda row: _center(journeys, row["to_node_id"]), is_sortable=True),
        ColumnView("transition_count", "Times", "count", is_sortable=True),
        ColumnView(
            "session_count",
            journeys.noun.capitalize(),
            "count",
            link=lambda row: _link(journeys, row),
            is_sortable=True,
        ),
        ColumnView("user_count", "Users", "count", is_sortable=True),
        ColumnView("share", "Of all from there", "share", hint=_hint, is_sortable=True),
        ColumnView("median_seconds", "Median time", "seconds", is_sortable=True),
        ColumnView("p95_seconds", "95 % within", "seconds", is_sortable=True),
    )
    nothing = "No transition matches. Search for another text, or remove a filter above."
    return TableView("transitions", "Transitions", rows, columns, nothing, parse_first_row(center))


def _center(journeys: Journeys, node: str) -> str | None:
    """URL of the flow around a node."""
    return None if node == OTHER else journeys.link_flow(node)


def _link(journeys: Journeys, row: Row) -> str | None:
    return journeys.link_sessions(**{"from": row["from_node_id"], "to": row["to_node_id"]})


def _hint(row: Row) -> str:
    return describe_share(row["transition_count"], row["total"], "transitions from there", row["low"], row["high"])


def _compare(journeys: Journeys, one: Side, other: Side) -> TableView:
    min_users = journeys.page.min_users

    def compute() -> pl.DataFrame:
        first, second = (read_edges(journeys, side.scope) for side in (one, other))
        return compare_frames(first, second, EDGE, "transition_count", of=["from_node_id"], min_users=min_users)

    key = ("compared transitions", journeys.dimension, min_users, one.scope, other.scope)
    rows = journeys.page.published.remember(key, compute)
    columns = (
        ColumnView("from_node", "From"),
        ColumnView("to_node", "To"),
        *compare_columns("transition_count", "transitions from there"),
    )
    rows = rows.sort(pl.col("q_value"), pl.col("difference").abs(), descending=[False, True], nulls_last=True)
    return tabulate_differences((one, other), _add_names(journeys, rows), columns)


def _draw(journeys: Journeys, edges: pl.DataFrame) -> dict[str, list[dict[str, object]]]:
    """Nodes and links of the graph of the most frequent transitions between different nodes."""
    ends = pl.col(list(EDGE))
    shown = edges.filter(
        ~pl.any_horizontal(ends.is_in([START, END, OTHER])) & (pl.col("from_node_id") != pl.col("to_node_id"))
    )
    shown = shown.sort("transition_count", *EDGE, descending=[True, False, False]).head(STRONGEST)
    rows: list[Row] = list(shown.iter_rows(named=True))
    sizes: dict[str, int] = {}
    for row in rows:
        for name in EDGE:
            sizes[row[name]] = sizes.get(row[name], 0) + row["transition_count"]
    nodes: list[dict[str, object]] = [
        {
            "name": node,
            "label": format_text(journeys.label(node)),
            "size": size,
            "text": f"{format_text(journeys.label(node))}\n{size:,} transitions shown here",
            "url": _center(journeys, node),
        }
        for node, size in sorted(sizes.items())
    ]
    links: list[dict[str, object]] = [
        {
            "source": row["from_node_id"],
            "target": row["to_node_id"],
            "size": row["transition_count"],
            "text": f"{' → '.join(format_text(journeys.label(row[name])) for name in EDGE)}\n"
            f"{row['transition_count']:,} times, {format_share(row['share'])} of all from there",
            "url": _link(journeys, row),
        }
        for row in rows
    ]
    return {"nodes": nodes, "links": links}
