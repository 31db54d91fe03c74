"""Session: who and when, and each turn with its texts, subject and signals."""

from collections.abc import Iterator
from typing import Any

import polars as pl
from starlette.exceptions import HTTPException

from turret_pipeline.dashboard.listings import TURNS_SHOWN, session_url
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.tables import TableView
from turret_pipeline.reports.exchange_lists import RowRange
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.session_turns import EVENTS_SHOWN, Events, Session, read_events, read_session, read_turns
from turret_pipeline.tables.signals import SIGNALS_OF_STRUGGLE

EVENTS_OF_PAGE = 200
"""Events of a page of a session without exchanges."""

DOWNLOADED_TURNS = 10_000
FOLDED = 1200
"""Characters from which a text is folded."""

FIELDS: dict[str, type[pl.DataType] | pl.DataType] = {
    "exchange_number": pl.Int64,
    "prompt_at": pl.Datetime("us", "UTC"),
    "prompt": pl.String,
    "answer": pl.String,
    "topic_id": pl.String,
    "topic": pl.String,
    "is_follow_up": pl.Boolean,
    "signals": pl.List(pl.String),
    "rating": pl.Float64,
    "model": pl.String,
    "latency_seconds": pl.Float64,
    "cost_usd": pl.Float64,
    "input_tokens": pl.Float64,
    "output_tokens": pl.Float64,
    "is_error": pl.Boolean,
}
"""Columns of the download of the turns."""


def show_session(page: Page) -> Content:
    """The page of one session. Raises HTTPException (404) if no session has the id."""
    session_id: str = page.request.path_params["session_id"]
    number = page.state.row_page()
    with open_scope(page.published, Scope()) as connection:
        session = read_session(connection, session_id)
        if session is None:
            raise HTTPException(404)
        turns: list[dict[str, Any]] = []
        if session.exchange_count:
            first = (number - 1) * TURNS_SHOWN
            turns = read_turns(connection, session_id, RowRange(TURNS_SHOWN, first), page.min_users)
            bounds = (first + (number > 1), first + TURNS_SHOWN)
            events = read_events(connection, session_id, bounds, page.min_users)
        else:
            rows = RowRange(EVENTS_OF_PAGE, (number - 1) * EVENTS_OF_PAGE)
            events = read_events(connection, session_id, (0, 0), page.min_users, rows)
    shown = EVENTS_SHOWN if session.exchange_count else EVENTS_OF_PAGE
    count = session.exchange_count or session.row["event_count"]
    values = {
        "session": session,
        "turns": turns,
        "bad_signals": SIGNALS_OF_STRUGGLE,
        "events": events,
        "no_events": Events([], 0),
        "events_shown": shown,
        "folded": FOLDED,
        "number": number,
        "page_count": -(-count // (TURNS_SHOWN if session.exchange_count else EVENTS_OF_PAGE)),
        "neighbours": [*_list_neighbours(page, session)],
        "to_topic": lambda topic_id: page.state.to_page(f"topics/{topic_id}"),
        "to_user": page.state.to_page("sessions", user=session.row["user_id"]) if turns else None,
    }
    return Content("session.html", "Session", values, (_make_table(page, session_id, session.exchange_count),))


def _list_neighbours(page: Page, session: Session) -> Iterator[tuple[str, str]]:
    if session.previous_id is not None:
        yield "Previous session of this user", session_url(page, session.previous_id)
    if session.next_id is not None:
        yield "Next session of this user", session_url(page, session.next_id)


def _make_table(page: Page, session_id: str, count: int) -> TableView:
    """The turns as a table, which is only downloaded."""

    def read_all() -> pl.DataFrame:
        with open_scope(page.published, Scope()) as connection:
            turns = read_turns(connection, session_id, RowRange(DOWNLOADED_TURNS), page.min_users)
        rows = [{**turn, "signals": [name for name, _ in turn["signals"]]} for turn in turns]
        return pl.DataFrame([{name: row[name] for name in FIELDS} for row in rows], schema=FIELDS)

    return TableView("turns", "Turns", pl.DataFrame(schema=FIELDS), (), total=count, read_all=read_all)
