"""Sessions: the list behind every count of sessions."""

from collections.abc import Iterator

import duckdb
import polars as pl

from turret_pipeline.dashboard.formats import MISSING
from turret_pipeline.dashboard.listings import (
    DOWNLOADED,
    Listing,
    make_table,
    row_range,
    session_url,
    shorten,
    signal_words,
)
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.exchanges import count_of
from turret_pipeline.dashboard.session_conditions import read_session_conditions
from turret_pipeline.dashboard.tables import ColumnView, Row
from turret_pipeline.reports.activity import choose_unit
from turret_pipeline.reports.exchange_filter import SEARCHED
from turret_pipeline.reports.exchange_lists import Counts, RowRange
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.session_filter import SessionFilter
from turret_pipeline.reports.session_lists import list_sessions
from turret_pipeline.tables import USER

SUBJECTS_LENGTH = 300
"""Characters of the subjects of a session; the page of the session has all."""


def show_sessions(page: Page) -> Content:
    """The list of the sessions that fulfil the conditions in the URL."""
    chosen, rows = page.state.dimension or None, row_range(page)
    dimension = page.published.remember(("dimension", chosen), lambda: page.published.resolve_dimension(chosen))
    found = read_session_conditions(page, dimension)
    conditions = found.conditions

    def compute() -> tuple[str, int, int, pl.DataFrame]:
        with open_scope(page.published, page.state.scope()) as connection:
            listed = list_sessions(connection, conditions, rows, dimension, page.min_users)
            return choose_unit(connection), *listed

    unit, count, users, frame = page.remember("sessions", compute, conditions, rows, dimension, page.min_users)

    def read(connection: duckdb.DuckDBPyConnection, rows: RowRange) -> pl.DataFrame:
        return list_sessions(connection, conditions, rows, dimension, page.min_users)[2]

    is_hidden = Counts(count, count, users).is_of_fewer_users(page.min_users)
    nothing = "No session fulfils all conditions. Choose other days or segments above, or remove a condition."
    listing = Listing("sessions", "Sessions", tuple(list_session_columns(page, frame)), nothing)
    values = {
        "is_hidden": is_hidden,
        "sentence": [(f"{count_of(count, 'session')} of {count_of(users, 'user')}", None)],
        "conditions": found.words,
        "notes": [*_list_notes(page, conditions, unit, count)],
        "has_search": False,
    }
    tables = () if is_hidden else (make_table(listing, page, count, frame, read),)
    return Content("list.html", "Sessions", values, tables)


def list_session_columns(page: Page, frame: pl.DataFrame) -> Iterator[ColumnView]:
    """The columns of a list of sessions."""
    yield ColumnView("started_at", "Start", "time", lambda row: session_url(page, row["session_id"]))
    yield ColumnView("duration_seconds", "Duration", "seconds")
    yield ColumnView("user_id", "User", link=lambda row: _link_user(page, row))
    if frame["exchange_count"].max():
        yield ColumnView("exchange_count", "Exchanges", "count")
    else:
        yield ColumnView("event_count", "Events", "count")
    yield ColumnView("subjects", "Subjects in order", words=_describe_subjects)
    yield ColumnView("signals", "Signals", words=lambda row: signal_words(row["signals"]))
    if frame["lowest_rating"].null_count() < frame.height:
        yield ColumnView("lowest_rating", "Lowest rating", "number")


def _describe_subjects(row: Row) -> str:
    return shorten(" → ".join(row["subjects"] or []), SUBJECTS_LENGTH) or MISSING


def _link_user(page: Page, row: Row) -> str | None:
    return page.state.to_page("sessions", user=row["user_id"]) if row["exchange_count"] else None


def _list_notes(page: Page, conditions: SessionFilter, unit: str, count: int) -> Iterator[str]:
    if page.state.since or page.state.until:
        if conditions.is_of_journeys:
            yield "These are sessions that start in these days."
        else:
            yield f"These are sessions with such an {unit} in these days. They may start before or end after them."
    if conditions.paths and conditions.dimension.startswith(USER):
        yield "All events of a user are one sequence here: these are all sessions of the users with such a sequence."
    if conditions.exchanges.search is not None:
        yield f"The search reads the prompts of the newest {SEARCHED:,} exchanges that fulfil the other conditions."
    if count > DOWNLOADED:
        yield f"A download has the newest {DOWNLOADED:,}."
