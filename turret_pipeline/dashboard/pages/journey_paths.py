"""Starts and ends of sessions, back-and-forth, and common paths."""

import polars as pl

from turret_pipeline.dashboard.formats import describe_share
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_differences import compare_columns
from turret_pipeline.dashboard.pages.journey_parts import Journeys, parse_first_row
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
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

COMPARED = 100
"""Pairs and paths that are compared, the most common of each side: of rare ones nothing can be said."""


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
        tables += [_compare_ends(journeys, is_start=True), _compare_ends(journeys, is_start=False)]
        tables += [_compare_loops(journeys), _compare_paths(journeys, length)]
    lengths = [(label, page.state.change(length=name), name == length) for name, label in LENGTHS.items()]
    values = journeys.values(lengths=lengths, sides=sides, length=LENGTHS[length], compared_rows=COMPARED)
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


def _read_loops(journeys: Journeys, scope: Scope) -> pl.DataFrame:
    return journeys.compute_in(
        scope,
        "loops",
        lambda connection: (
            read_published_loops(connection, journeys.dimension)
            if scope == Scope()
            else read_loops(connection, journeys.page.min_users)
        ),
    )


def _tabulate_loops(journeys: Journeys) -> TableView:
    noun = journeys.noun
    rows = _read_loops(journeys, journeys.page.state.scope())
    rows = journeys.add_labels(rows, node="node_id", other_node="other_node_id")
    columns = (
        *_loop_columns(journeys),
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


def _loop_columns(journeys: Journeys) -> tuple[ColumnView, ColumnView]:
    return (
        ColumnView("node", "From and back to", link=lambda row: journeys.link_flow(row["node_id"])),
        ColumnView("other_node", "By way of", link=lambda row: journeys.link_flow(row["other_node_id"])),
    )


def _read_paths(journeys: Journeys, scope: Scope, length: str) -> pl.DataFrame:
    step_count = None if length == "whole" else int(length)
    return journeys.compute_in(
        scope,
        "paths",
        lambda connection: (
            read_published_paths(connection, journeys.dimension, step_count)
            if scope == Scope()
            else read_paths(connection, step_count, journeys.page.min_users)
        ),
        length,
    )


def _name_steps(journeys: Journeys, paths: pl.DataFrame) -> pl.DataFrame:
    labelled = pl.col("path").list.eval(pl.element().replace(journeys.nodes.labels)).list.join(" → ")
    return paths.with_columns(labelled.alias("steps"))


def _tabulate_paths(journeys: Journeys, length: str) -> TableView:
    page, noun = journeys.page, journeys.noun
    columns = (
        ColumnView("steps", "Path"),
        ColumnView("session_count", noun.capitalize(), "count", link=lambda row: _link_path(journeys, row)),
        ColumnView("share", "Share", "share", hint=lambda row: _hint(row, noun)),
    )
    rows = _name_steps(journeys, _read_paths(journeys, page.state.scope(), length))
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


def _compare_ends(journeys: Journeys, *, is_start: bool) -> TableView:
    end = "start" if is_start else "end"
    rows = journeys.compare(lambda scope: _read_ends(journeys, scope, is_start=is_start), ["node_id"])
    node = ColumnView("node", f"{end.capitalize()}s on", link=lambda row: journeys.link_flow(row["node_id"]))
    title = f"Differences in where {journeys.noun} {end}"
    return _tabulate_differences(journeys, f"{end}_differences", title, journeys.add_labels(rows, node="node_id"), node)


def _compare_loops(journeys: Journeys) -> TableView:
    rows = journeys.compare(lambda scope: _read_loops(journeys, scope), _LOOP[:2], COMPARED)
    labelled = journeys.add_labels(rows, node="node_id", other_node="other_node_id")
    title = f"Differences in {journeys.noun} that go back and forth"
    return _tabulate_differences(journeys, "loop_differences", title, labelled, *_loop_columns(journeys))


def _compare_paths(journeys: Journeys, length: str) -> TableView:
    rows = journeys.compare(lambda scope: _read_paths(journeys, scope, length), ["path"], COMPARED)
    title = f"Differences in paths of {LENGTHS[length]}"
    return _tabulate_differences(
        journeys, "path_differences", title, _name_steps(journeys, rows), ColumnView("steps", "Path")
    )


def _tabulate_differences(
    journeys: Journeys, name: str, title: str, rows: pl.DataFrame, *columns: ColumnView
) -> TableView:
    shares = compare_columns("session_count", journeys.noun)
    return TableView(name, title, rows, (*columns, *shares), "Nothing to compare.", rows_shown=ROWS, is_paged=False)
