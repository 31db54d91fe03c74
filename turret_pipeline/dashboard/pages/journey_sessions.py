"""The sessions of a figure about journeys: of a flow, a step of a funnel, a cell of the matrix, a whole path."""

from collections.abc import Callable, Iterator

import duckdb
import polars as pl

from turret_pipeline.dashboard.list_conditions import Condition
from turret_pipeline.dashboard.listings import DOWNLOADED, row_range
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.exchanges import count_of
from turret_pipeline.dashboard.pages.journey_funnel import parse_funnel
from turret_pipeline.dashboard.pages.journey_matrix import DEPTHS, NODES, parse_depth
from turret_pipeline.dashboard.pages.journey_parts import Journeys
from turret_pipeline.dashboard.pages.journeys import parse_flow
from turret_pipeline.dashboard.pages.sessions import list_session_columns
from turret_pipeline.dashboard.tables import ColumnView, TableView
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.exchange_lists import Counts, RowRange
from turret_pipeline.reports.journey_flows import (
    FlowOptions,
    define_flows,
    select_flow_sequences,
    select_middle_sequences,
)
from turret_pipeline.reports.journey_funnels import define_funnel, select_funnel_sequences
from turret_pipeline.reports.journey_matrix import list_matrix_nodes
from turret_pipeline.reports.journey_scope import open_journeys
from turret_pipeline.reports.journey_sequences import (
    list_users,
    select_at_step,
    select_followers,
    select_movers,
    select_visitors,
)
from turret_pipeline.reports.session_lists import list_sessions_of_sequences
from turret_pipeline.tables import END, OTHER, START

NOBODY = "Nobody did this. Choose other days or segments above."

Connection = duckdb.DuckDBPyConnection
Select = Callable[[Connection], str]
"""The query of the sequences to list, after creating what it needs."""


def show_journey_sessions(page: Page) -> Content:
    """The list: of sessions as on the page of all sessions, or of users in a dimension of users."""
    journeys = Journeys(page)
    of = page.state.get("of", "flow")
    if of not in _FIGURES:
        raise TurretError(f"Unknown figure {of!r} to list. Available: {list_names(list(_FIGURES))}.")
    what, select = _FIGURES[of](journeys)
    counts, table = _show_users(journeys, select) if journeys.is_of_users else _list_sessions(journeys, select)
    is_hidden = counts.is_of_fewer_users(page.min_users)
    others = f" of {count_of(counts.user_count, 'user')}" if not journeys.is_of_users else ""
    values = {
        "is_hidden": is_hidden,
        "sentence": [(f"{count_of(counts.row_count, journeys.one)}{others}", None)],
        "conditions": [Condition(what, page.state.to_page("sessions"))],
        "notes": [*_list_notes(journeys)],
        "has_search": False,
    }
    return Content("list.html", journeys.noun.capitalize(), values, () if is_hidden else (table,))


def _list_sessions(journeys: Journeys, select: Select) -> tuple[Counts, TableView]:
    page, rows = journeys.page, row_range(journeys.page)

    def read(connection: Connection, rows: RowRange) -> tuple[int, int, pl.DataFrame]:
        return list_sessions_of_sequences(connection, select(connection), rows, journeys.dimension)

    def read_all() -> pl.DataFrame:
        with open_journeys(page.published, page.state.scope(), journeys.dimension) as connection:
            return read(connection, RowRange(DOWNLOADED))[2]

    count, users, frame = journeys.compute(
        "journey sessions", lambda connection: read(connection, rows), page.state.others, rows
    )
    columns = tuple(list_session_columns(page, frame))
    table = TableView("sessions", "Sessions", frame, columns, NOBODY, rows.offset, total=count, read_all=read_all)
    return Counts(count, count, users), table


def _show_users(journeys: Journeys, select: Select) -> tuple[Counts, TableView]:
    state = journeys.page.state
    frame = journeys.compute(
        "journey users", lambda connection: list_users(connection, select(connection)), state.others
    )
    columns = (
        ColumnView("started_at", "First session", "time"),
        ColumnView("user_id", "User", link=lambda row: state.to_page("sessions", user=row["user_id"])),
        ColumnView("step_count", "Steps", "count"),
    )
    table = TableView("users", "Users", frame, columns, NOBODY, row_range(journeys.page).offset)
    return Counts(frame.height, frame.height, frame.height), table


def _list_notes(journeys: Journeys) -> Iterator[str]:
    state = journeys.page.state
    if journeys.is_of_users:
        yield "All sessions of a user that match the filters above are one journey."
    elif state.since or state.until:
        yield "These are sessions that start in these days."


def _select_flow(journeys: Journeys) -> tuple[str, Select]:
    options, state = parse_flow(journeys), journeys.page.state
    if not state.get("layer"):
        return f"flow around {journeys.label(options.node)}", _select_middle(journeys, options)
    layer = _parse_number(journeys, "layer", options.layers[:-1])
    source, target = (_find_node(journeys, name) for name in ("from", "to"))

    def select(connection: Connection) -> str:
        define_flows(connection, journeys.dimension, options, journeys.page.min_users)
        return select_flow_sequences(layer, source, target)

    place = f"{-layer} before" if layer < 0 else f"{layer + 1} after"
    middle = f"{place} the first {journeys.label(options.node)}" if options.node not in {START, END} else place
    hidden = ", without hidden nodes" if state.get("hide") else ""
    return f"{journeys.label(source)} → {journeys.label(target)}, step {middle}{hidden}", select


def _select_middle(journeys: Journeys, options: FlowOptions) -> Select:
    """All sequences of a flow."""

    def select(connection: Connection) -> str:
        define_flows(connection, journeys.dimension, options, journeys.page.min_users)
        return select_middle_sequences()

    return select


def _select_funnel(journeys: Journeys) -> tuple[str, Select]:
    options = parse_funnel(journeys)
    if not options.steps:
        raise TurretError("The funnel has no step: choose some on the page of funnels.")
    reached = _parse_number(journeys, "reached", range(1, len(options.steps) + 1))

    def select(connection: Connection) -> str:
        define_funnel(connection, options)
        return select_funnel_sequences(reached - 1)

    names = " → ".join(node.label for node in options.steps[:reached])
    return f"{names}{', in any order' if options.is_any_order else ''}", select


def _select_step(journeys: Journeys) -> tuple[str, Select]:
    depth = parse_depth(journeys)
    step, node = _parse_number(journeys, "step", range(1, DEPTHS[-1] + 1)), _find_node(journeys, "node")
    if node == OTHER and journeys.page.min_users > 1:
        raise TurretError("The sessions of (other) are not listed: it has nodes of few users.")
    what = f"ended before step {step}" if node == END else f"{journeys.label(node)} at step {step}"
    return what, lambda connection: select_at_step(step, node, list_matrix_nodes(connection, depth, NODES))


def _select_path(journeys: Journeys) -> tuple[str, Select]:
    path = [journeys.check_node(name) for name in journeys.page.state.get("path").split(">")]
    names = " → ".join(map(journeys.label, path))
    return names, lambda _: select_followers(path, is_whole_session=False)


def _select_whole(journeys: Journeys) -> tuple[str, Select]:
    path = [journeys.check_node(name) for name in journeys.page.state.get_all("node")]
    names = " → ".join(map(journeys.label, path))
    return f"{names}, and nothing else", lambda _: select_followers(path, is_whole_session=True)


def _select_transition(journeys: Journeys) -> tuple[str, Select]:
    source, target = (_find_node(journeys, name) for name in ("from", "to"))
    return f"{journeys.label(source)} → {journeys.label(target)}", lambda _: select_movers(source, target)


def _select_node(journeys: Journeys) -> tuple[str, Select]:
    node = _find_node(journeys, "node")
    return journeys.label(node), lambda _: select_visitors(node)


def _select_start(journeys: Journeys) -> tuple[str, Select]:
    node = _find_node(journeys, "start")
    return f"starts on {journeys.label(node)}", lambda _: select_movers(START, node)


def _select_end(journeys: Journeys) -> tuple[str, Select]:
    node = _find_node(journeys, "end")
    return f"ends on {journeys.label(node)}", lambda _: select_movers(node, END)


_FIGURES: dict[str, Callable[[Journeys], tuple[str, Select]]] = {
    "flow": _select_flow,
    "funnel": _select_funnel,
    "step": _select_step,
    "path": _select_path,
    "whole": _select_whole,
    "transition": _select_transition,
    "node": _select_node,
    "start": _select_start,
    "end": _select_end,
}
"""The list of the page: its words, and the query of its sequences, from the URL."""


def _find_node(journeys: Journeys, name: str) -> str:
    """The node of a parameter. Raises TurretError if it is missing or unknown."""
    node = journeys.page.state.get(name)
    if not node:
        raise TurretError(f"The parameter {name} is missing: open the list from the page of its figure.")
    return journeys.check_node(node, START, END, OTHER)


def _parse_number(journeys: Journeys, name: str, known: range) -> int:
    text = journeys.page.state.get(name)
    if text not in {str(number) for number in known}:
        limits = f"from {known[0]} to {known[-1]}" if known else "of a longer flow"
        raise TurretError(f"Invalid {name} {text!r}: use a number {limits}.")
    return int(text)
