"""The flow of sessions: what they do before and after a node."""

from collections.abc import Iterator, Mapping

import duckdb
import polars as pl

from turret_pipeline.dashboard.formats import describe_share, format_share, format_text
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_differences import (
    compare_columns,
    describe_before,
    index_changes,
    tabulate_differences,
)
from turret_pipeline.dashboard.pages.journey_parts import Journeys, Side, parse_first_row
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.journey_flows import MAX_DISTANCE, FlowOptions, define_flows, list_named_nodes, read_flows
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables import END, OTHER, START

DISTANCE = 3
"""Steps before and after the node, unless others are asked for."""


def show_flow(page: Page) -> Content:
    """The page."""
    journeys = Journeys(page)
    options = parse_flow(journeys)

    flows = _read(journeys, options, page.state.scope())
    total = 0 if flows.is_empty() else int(flows["total"][0])
    sides = journeys.list_sides() if total else None
    differences = _compare(journeys, options, flows)
    tables = [_tabulate(journeys, options, flows)]
    if sides:
        tables.append(_tabulate_differences(journeys, sides, differences))
    values = journeys.values(
        options=options,
        total=total,
        sides=sides,
        chart=_draw(journeys, options, flows, differences),
        distances=list(range(MAX_DISTANCE + 1)),
        all_link=_link_all(journeys, options),
        hidden_nodes=[
            (journeys.label(name), page.state.change(hide=[one for one in options.hidden if one != name]))
            for name in options.hidden
        ],
        is_few=flows.is_empty() and page.min_users > 1,
    )
    return Content("journey_flow.html", "Journeys", values, tuple(tables))


def parse_flow(journeys: Journeys) -> FlowOptions:
    """The flow that the URL of a page asks for. Raises TurretError if a parameter is invalid."""
    state = journeys.page.state
    group, repeats = state.get("group"), state.get("repeats")
    if group not in {"", "theme"}:
        raise TurretError(f"Invalid group {group!r}: use theme, or leave it out.")
    if repeats not in {"", "1"}:
        raise TurretError(f"Invalid repeats {repeats!r}: use 1, or leave it out.")
    node = journeys.check_node(state.get("node"), START, END) or _choose_node(journeys, by_theme=bool(group))
    return FlowOptions(
        node=node,
        before=_parse_distance(journeys, "before"),
        after=_parse_distance(journeys, "after"),
        is_repeated=bool(repeats),
        hidden=tuple(dict.fromkeys(journeys.check_node(one) for one in state.get_all("hide") if one != node)),
        by_theme=bool(group),
        start=journeys.check_node(state.get("start")),
        end=journeys.check_node(state.get("end")),
    )


def _read(
    journeys: Journeys, options: FlowOptions, scope: Scope, named: dict[int, tuple[str, ...]] | None = None
) -> pl.DataFrame:
    """The flows of a scope that this person may see; with the nodes of the layers of another scope if any are given."""
    min_users = journeys.page.min_users

    def read(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
        define_flows(connection, journeys.dimension, options, min_users, named)
        return read_flows(connection, options)

    key = None if named is None else tuple(named.items())
    return suppress_flows(journeys.compute_in(scope, "flows", read, options, key), min_users)


def _compare(journeys: Journeys, options: FlowOptions, flows: pl.DataFrame) -> pl.DataFrame:
    """The flows on both sides that the page compares, if any, with the nodes that its diagram shows.

    With a privacy threshold only those next to the node: further ones depend on what is (other) on each side.
    """
    named = list_named_nodes(flows)
    found = journeys.compare(lambda scope: _read(journeys, options, scope, named), _KEY)
    is_next = pl.col("layer").is_in([-1, 0])
    return found.filter(is_next) if journeys.page.min_users > 1 and found.height else found


def suppress_flows(flows: pl.DataFrame, min_users: int) -> pl.DataFrame:
    """The flows without those of too few users, which are small even together as (other)."""
    return flows.filter(pl.col("user_count") >= min_users) if min_users > 1 else flows


def _choose_node(journeys: Journeys, *, by_theme: bool) -> str:
    """The most common node, or its theme."""
    node = journeys.nodes.most_common
    themes = (theme for theme, topics in journeys.nodes.themes.items() if node in topics)
    return next(themes, node) if by_theme else node


def _parse_distance(journeys: Journeys, name: str) -> int:
    text = journeys.page.state.get(name) or str(DISTANCE)
    if text not in {str(number) for number in range(MAX_DISTANCE + 1)}:
        raise TurretError(f"Invalid {name} {text!r}: use a number of steps from 0 to {MAX_DISTANCE}.")
    return int(text)


def _link_all(journeys: Journeys, options: FlowOptions) -> str | None:
    """URL of all sessions of the flow; without groups and ends these are those that visit its node."""
    if options.node in journeys.nodes.names and not (options.by_theme or options.start or options.end):
        return journeys.link_sessions(node=options.node)
    return journeys.link_list("flow", **_list_parameters(journeys))


def _add_names(journeys: Journeys, flows: pl.DataFrame) -> pl.DataFrame:
    return journeys.add_labels(flows, **{name.removesuffix("_id"): name for name in _ENDS}).with_columns(
        pl.col("layer").map_elements(_describe_layer, return_dtype=pl.String).alias("step")
    )


def _tabulate_differences(journeys: Journeys, sides: tuple[Side, Side], differences: pl.DataFrame) -> TableView:
    columns = (
        ColumnView("step", "Step"),
        ColumnView("from_node", "From"),
        ColumnView("to_node", "To"),
        *compare_columns("session_count", journeys.noun),
    )
    return tabulate_differences(sides, _add_names(journeys, differences), columns)


def _tabulate(journeys: Journeys, options: FlowOptions, flows: pl.DataFrame) -> TableView:
    frame = _add_names(journeys, flows)
    columns = (
        ColumnView("step", "Step"),
        ColumnView("from_node", "From", link=lambda row: _center(journeys, options, row["from_node_id"])),
        ColumnView("to_node", "To", link=lambda row: _center(journeys, options, row["to_node_id"])),
        ColumnView("session_count", journeys.noun.capitalize(), "count", link=lambda row: _link(journeys, row)),
        ColumnView("user_count", "Users", "count"),
        ColumnView("share", f"Of all {journeys.noun} here", "share", hint=lambda row: _hint(journeys, row)),
    )
    return TableView("flows", "Flows", frame, columns, "No flow to show.", parse_first_row(journeys.page.state))


_ENDS = ("from_node_id", "to_node_id")
_KEY = ("layer", *_ENDS)


def _describe_layer(layer: int) -> str:
    """The step that a flow leads to or comes from, in words."""
    return f"{-layer} before" if layer < 0 else f"{layer + 1} after"


def _center(journeys: Journeys, options: FlowOptions, node: str) -> str | None:
    """URL of the same page about another node."""
    return None if node in {OTHER, options.node} else journeys.page.state.change(node=node)


def _link(journeys: Journeys, row: Row) -> str:
    """URL of the sessions of a flow."""
    flow = {"layer": str(row["layer"]), "from": row["from_node_id"], "to": row["to_node_id"]}
    return journeys.link_list("flow", **_list_parameters(journeys), **flow)


def _list_parameters(journeys: Journeys) -> dict[str, list[str]]:
    """The parameters of the flow in the URL."""
    names = ("node", "before", "after", "repeats", "hide", "group", "start", "end")
    return {name: journeys.page.state.get_all(name) for name in names}


def _hint(journeys: Journeys, row: Row) -> str:
    return describe_share(row["session_count"], row["total"], journeys.noun, row["low"], row["high"])


def _draw(
    journeys: Journeys, options: FlowOptions, flows: pl.DataFrame, differences: pl.DataFrame
) -> dict[str, list[dict[str, object]]]:
    """Nodes and links of the Sankey diagram. The links tell the difference from the previous period."""
    rows: list[Row] = list(flows.iter_rows(named=True))
    changes = index_changes(journeys, differences, _KEY)
    return {"nodes": list(_draw_nodes(journeys, options, rows)), "links": list(_draw_links(journeys, rows, changes))}


def _draw_nodes(journeys: Journeys, options: FlowOptions, rows: list[Row]) -> Iterator[dict[str, object]]:
    sizes: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        for side, (layer, name) in enumerate(((row["layer"], "from_node_id"), (row["layer"] + 1, "to_node_id"))):
            sizes.setdefault((layer, row[name]), [0, 0])[side] += row["session_count"]
    first = min((layer for layer, _ in sizes), default=0)
    for (layer, node), counts in sizes.items():
        label, count = format_text(journeys.label(node)), max(counts)
        yield {
            "name": f"{layer}|{node}",
            "label": label,
            "depth": layer - first,
            "text": f"{label}\n{count:,} {journeys.noun}",
            "url": _center(journeys, options, node),
            "kind": "middle" if layer == 0 else "pseudo" if node in {START, END, OTHER} else "node",
        }


def _draw_links(
    journeys: Journeys, rows: list[Row], changes: Mapping[tuple[object, ...], Row]
) -> Iterator[dict[str, object]]:
    for row in rows:
        change = changes.get(tuple(row[name] for name in _KEY))
        before = f"\n{describe_before(change, journeys.noun)}" if change else ""
        ends = " → ".join(format_text(journeys.label(row[name])) for name in _ENDS)
        yield {
            "source": f"{row['layer']}|{row['from_node_id']}",
            "target": f"{row['layer'] + 1}|{row['to_node_id']}",
            "value": row["session_count"],
            "text": f"{ends}\n{row['session_count']:,} {journeys.noun}, {format_share(row['share'])}{before}",
            "url": _link(journeys, row),
        }
