"""Exchanges: the list behind every count of exchanges."""

from collections.abc import Iterator

import duckdb
import polars as pl

from turret_pipeline.dashboard.list_conditions import (
    describe_exchange_filter,
    exchange_parameters,
    read_exchange_filter,
)
from turret_pipeline.dashboard.listings import (
    DOWNLOADED,
    Listing,
    make_table,
    row_range,
    session_url,
    shorten,
    signal_words,
    topic_url,
)
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.tables import ColumnView, Row
from turret_pipeline.reports.exchange_filter import SEARCHED, ExchangeFilter
from turret_pipeline.reports.exchange_lists import PROMPT_LENGTH, Counts, RowRange, list_exchanges
from turret_pipeline.reports.scoped_tables import open_scope


def show_exchanges(page: Page) -> Content:
    """The list of the exchanges that fulfil the conditions in the URL."""
    conditions, rows = read_exchange_filter(page), row_range(page)

    def compute() -> tuple[Counts, pl.DataFrame]:
        with open_scope(page.published, page.state.scope()) as connection:
            return list_exchanges(connection, conditions, rows, page.min_users)

    counts, frame = page.remember("exchanges", compute, conditions, rows, page.min_users)

    def read(connection: duckdb.DuckDBPyConnection, rows: RowRange) -> pl.DataFrame:
        return list_exchanges(connection, conditions, rows, page.min_users)[1]

    is_hidden = counts.is_of_fewer_users(page.min_users)
    listing = Listing("exchanges", "Exchanges", tuple(_list_columns(page, frame)), _describe_nothing(conditions))
    values = {
        "is_hidden": is_hidden,
        "sentence": [*describe_counts(page, counts, "exchange")],
        "conditions": [*describe_exchange_filter(page)],
        "notes": [*_list_notes(conditions, counts)],
        "has_search": True,
    }
    tables = () if is_hidden else (make_table(listing, page, counts.row_count, frame, read),)
    return Content("list.html", "Exchanges", values, tables)


def describe_counts(page: Page, counts: Counts, noun: str) -> Iterator[tuple[str, str | None]]:
    """The sentence above a list, in parts with links to the lists of the sessions and users."""
    parameters = exchange_parameters(page)
    yield f"{count_of(counts.row_count, noun)} in", None
    yield count_of(counts.session_count, "session"), page.state.to_page("sessions", **parameters)
    yield "of", None
    yield count_of(counts.user_count, "user"), page.state.to_page("users", **parameters)


def count_of(count: int, noun: str) -> str:
    """The count with its noun, in the plural unless it is 1."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _list_columns(page: Page, frame: pl.DataFrame) -> Iterator[ColumnView]:
    """The columns; the last ones only if an exchange of the page has a value."""
    columns = (
        ColumnView("rating", "Rating", "number"),
        ColumnView("model", "Model"),
        ColumnView("latency_seconds", "Latency", "seconds"),
        ColumnView("cost_usd", "Cost", "dollars"),
    )
    yield ColumnView("prompt_at", "Time", "time", lambda row: _link_turn(page, row))
    yield ColumnView("prompt", "Prompt", "prose", words=lambda row: describe_text(page, row["prompt"]))
    yield ColumnView("topic", "Topic", link=lambda row: topic_url(page, row))
    yield ColumnView("signals", "Signals", words=lambda row: signal_words(row["signals"]))
    yield from (column for column in columns if frame[column.name].null_count() < frame.height)


def describe_text(page: Page, text: str | None) -> str:
    """The start of a text in a line, or why it is not shown."""
    if text is None:
        return "(no text)" if page.min_users <= 1 else f"(not shown: no topic of at least {page.min_users} users)"
    return shorten(text) or ""


def _link_turn(page: Page, row: Row) -> str:
    return session_url(page, row["session_id"], row["exchange_number"])


def _describe_nothing(conditions: ExchangeFilter) -> str:
    if conditions == ExchangeFilter():
        return "No exchange is in this range and segment. Choose another above."
    return "No exchange fulfils all conditions. Remove one of them above."


def _list_notes(conditions: ExchangeFilter, counts: Counts) -> Iterator[str]:
    if conditions.search is not None:
        yield "The search reads the prompts themselves, in upper or lower case."
    if counts.unsearched_count:
        yield (
            f"Only the newest {SEARCHED:,} exchanges were searched, {counts.unsearched_count:,} older ones were not: "
            "choose days or a topic to search in them."
        )
    if counts.row_count > DOWNLOADED:
        yield f"A download has the newest {DOWNLOADED:,}. Its prompts have at most {PROMPT_LENGTH:,} characters."
