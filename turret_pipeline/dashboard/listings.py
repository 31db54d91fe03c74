"""Parts of pages with long lists: the rows of a page of them, and downloads of at most DOWNLOADED rows."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.tables import ROWS_SHOWN, ColumnView, Row, TableView
from turret_pipeline.reports.exchange_lists import RowRange
from turret_pipeline.reports.scoped_tables import open_scope

TURNS_SHOWN = 50
"""Exchanges of a session on a page."""

DOWNLOADED = 50_000
"""Rows of a list that a download has at most, the first ones: their texts must fit into memory."""


@dataclass(frozen=True)
class Listing:
    """Name and title of the table of a list, its columns, and what is said without rows."""

    name: str
    title: str
    columns: tuple[ColumnView, ...]
    nothing: str


def row_range(page: Page) -> RowRange:
    """The rows that the URL asks for. Raises TurretError if it is invalid."""
    return RowRange(ROWS_SHOWN, (page.state.row_page() - 1) * ROWS_SHOWN)


def make_table(
    listing: Listing, page: Page, total: int, frame: pl.DataFrame, read: Callable[..., pl.DataFrame]
) -> TableView:
    """The table of a list; ``read`` reads rows of a connection (``open_scope``)."""

    def read_all() -> pl.DataFrame:
        with open_scope(page.published, page.state.scope()) as connection:
            return read(connection, RowRange(DOWNLOADED))

    return TableView(
        listing.name,
        listing.title,
        frame,
        listing.columns,
        listing.nothing,
        first_row=row_range(page).offset,
        total=total,
        read_all=read_all,
    )


def session_url(page: Page, session_id: str, exchange_number: int | None = None) -> str:
    """URL of a session, at one of its exchanges."""
    if exchange_number is None:
        return page.state.to_page(f"sessions/{session_id}")
    number = (exchange_number - 1) // TURNS_SHOWN + 1
    url = page.state.to_page(f"sessions/{session_id}", page=str(number) if number > 1 else None)
    return f"{url}#e{exchange_number}"


def topic_url(page: Page, row: Row) -> str | None:
    """URL of the topic of a row."""
    return page.state.to_page(f"topics/{row['topic_id']}") if row["topic_id"] else None


def signal_words(signals: list[str] | None) -> str:
    """Signals as short words."""
    return ", ".join(name.replace("_", " ") for name in signals or [])


def shorten(text: str | None, length: int = 140) -> str | None:
    """The text as one line of at most so many characters."""
    if text is None:
        return None
    line = " ".join(text[: 4 * length].split())
    return f"{line[:length]}…" if len(line) > length or len(text) > 4 * length else line
