"""Starts and ends of sessions, back-and-forth, and common paths."""

import polars as pl

from turret_pipeline.dashboard.formats import describe_share
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_differences import compare_columns
from turret_pipeline.dashboard.pages.journey_parts import Journeys, Side, parse_first_row
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.journey_comparison import compare_frames
from turret_pipeline.reports.journey_patterns import (
    read_loops,
    read_paths,
    read_published_loops,
    read_published_paths,
)
from turret_pipeline.reports.journey_transitions import read_ends
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables import OTHER

LENGTHS = {"2": "2 steps", "3": "3 steps", "4": "4 steps", "5": "5 steps", "whole": "whole sessions"}
ROWS = 25
"""Rows of each of the tables: the page has several."""


def show_paths(page: Page) -> Content:
    """The page."""
    journeys = Journeys(page)
    length = page.state.get("length", "3")
    if length not in LENGTHS:
        raise TurretError(f"Invalid length {length!r}: use 2, 3, 4, 5 or whole.")
    tables = [
        _tabulate_ends(journeys, is_start=True),
        _tabulate_ends(journeys, is_start=False),
        _tabulate_loops(journeys),
        _tabulate_paths(journeys, length),
    ]
    sides = journeys.list_sides()
    if sides:
        tables += [_compare_ends(journeys, *sides, is_start=is_start) for is_start in (True, False)]
    lengths = [(label, page.state.change(length=name), name == length) for name, label in LENGTHS.items()]
    values = journeys.values(lengths=lengths, sides=sides)
    return Content("journey_paths.html", "Starts, ends and paths", values, tuple(tables))


def _read_ends(journeys: Journeys, scope: Scope, *, is_start: bool) -> pl.DataFrame:
    min_users = journeys.page.min_users
    return journeys.compute_in(
        scope,
        "starts" if is_start else "ends",
        lambda connection: read_ends(connection, is_start=is_start, min_users=min_users),
    )


def _tabulate_ends(journeys: Journeys, *, is_start: bool) -> TableView:
    end, noun = "start" if is_start else "end", journeys.noun
    rows = journeys.add_labels(_read_ends(journeys, journeys.page.state.scope(), is_start=is_start), node="node_id")
    columns = [
        ColumnView("node", "Starts on" if is_start else "Ends on", link=lambda row: journeys.link_flow(row["node_id"])),
        ColumnView(
            "session_count",
            noun.capitalize(),
            "count",
            link=lambda row: journeys.link_sessions(**{end: row["node_id"]}),
        ),
        ColumnView("share", "Share", "share", hint=lambda row: _hint(row, noun)),
    ]
    if not is_start:
        columns.append(ColumnView("drop_off_share", "Drop-off", "share", hint=lambda row: _hint_drop_off(row, noun)))
    title = f"{noun.capitalize()} by where they {end}"
    return TableView(
        f"{end}s", title, rows, tuple(columns), f"No {noun} in this range and segment.", rows_shown=ROWS, is_paged=False
    )


def _hint(row: Row, noun: str) -> str:
    return describe_share(row["session_count"], row["total"], noun, row.get("low"), row.get("high"))


def _hint_drop_off(row: Row, noun: str) -> str:
    return describe_share(row["session_count"], row["visit_count"], f"{noun} that visit it end there")


def _tabulate_loops(journeys: Journeys) -> TableView:
    page, noun = journeys.page, journeys.noun
    rows = journeys.compute(
        "loops",
        lambda connection: (
            read_published_loops(connection, journeys.dimension)
            if page.state.scope() == Scope()
            else read_loops(connection, page.min_users)
        ),
    )
    rows = journeys.add_labels(rows, node="node_id", other_node="other_node_id")
    columns = (
        ColumnView("node", "From and back to", link=lambda row: journeys.link_flow(row["node_id"])),
        ColumnView("other_node", "By way of", link=lambda row: journeys.link_flow(row["other_node_id"])),
        ColumnView("bounce_count", "Times", "count"),
        ColumnView(
            "session_count",
            noun.capitalize(),
            "count",
            link=lambda row: journeys.link_sessions(path=">".join(row[name] for name in _LOOP)),
        ),
        ColumnView("share", "Share", "share", hint=lambda row: _hint(row, noun)),
    )
    return TableView(
        "loops",
        f"{noun.capitalize()} that go back and forth",
        rows,
        columns,
        "Nobody goes back and forth.",
        rows_shown=ROWS,
        is_paged=False,
    )


_LOOP = ("node_id", "other_node_id", "node_id")


def _tabulate_paths(journeys: Journeys, length: str) -> TableView:
    page, noun = journeys.page, journeys.noun
    step_count = None if length == "whole" else int(length)
    rows = journeys.compute(
        "paths",
        lambda connection: (
            read_published_paths(connection, journeys.dimension, step_count)
            if page.state.scope() == Scope()
            else read_paths(connection, step_count, page.min_users)
        ),
        length,
    )
    labelled = pl.col("path").list.eval(pl.element().replace(journeys.nodes.labels)).list.join(" → ")
    columns = (
        ColumnView("steps", "Path"),
        ColumnView("session_count", noun.capitalize(), "count", link=lambda row: _link_path(journeys, row)),
        ColumnView("share", "Share", "share", hint=lambda row: _hint(row, noun)),
    )
    rows = rows.with_columns(labelled.alias("steps"))
    return TableView(
        "paths", f"Paths of {LENGTHS[length]}", rows, columns, "No such path.", parse_first_row(page.state, ROWS), ROWS
    )


def _link_path(journeys: Journeys, row: Row) -> str | None:
    path = row["path"]
    if OTHER in path:
        return None
    if row["is_whole_session"]:
        return journeys.link_list("whole", node=path)
    return journeys.link_sessions(path=">".join(path))


def _compare_ends(journeys: Journeys, one: Side, other: Side, *, is_start: bool) -> TableView:
    end = "start" if is_start else "end"
    first, second = (_read_ends(journeys, side.scope, is_start=is_start) for side in (one, other))
    rows = compare_frames(first, second, ["node_id"], "session_count", min_users=journeys.page.min_users)
    columns = (
        ColumnView("node", f"{end.capitalize()}s on", link=lambda row: journeys.link_flow(row["node_id"])),
        *compare_columns("session_count", journeys.noun),
    )
    return TableView(
        f"{end}_differences",
        f"Differences in where {journeys.noun} {end}",
        journeys.add_labels(rows, node="node_id"),
        columns,
        "Nothing to compare.",
        rows_shown=ROWS,
        is_paged=False,
    )
