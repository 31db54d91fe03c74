"""Users: the list behind every count of users."""

import duckdb
import polars as pl

from turret_pipeline.dashboard.list_conditions import (
    describe_exchange_filter,
    exchange_parameters,
    read_exchange_filter,
)
from turret_pipeline.dashboard.listings import Listing, make_table, row_range
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.exchanges import count_of
from turret_pipeline.dashboard.tables import ColumnView, Row
from turret_pipeline.reports.activity import Unit, choose_unit
from turret_pipeline.reports.exchange_lists import RowRange
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.user_lists import list_users


def show_users(page: Page) -> Content:
    """The list of the users with an exchange that fulfils the conditions in the URL."""
    conditions, rows = read_exchange_filter(page), row_range(page)

    def compute() -> tuple[Unit, int, pl.DataFrame]:
        with open_scope(page.published, page.state.scope()) as connection:
            return choose_unit(connection), *list_users(connection, conditions, rows, page.min_users)

    unit, count, frame = page.remember("users", compute, conditions, rows, page.min_users)

    def read(connection: duckdb.DuckDBPyConnection, rows: RowRange) -> pl.DataFrame:
        return list_users(connection, conditions, rows, page.min_users)[1]

    is_hidden = 0 < count < page.min_users
    nothing = "No user is known here. Choose other days or segments above, or remove a condition."
    listing = Listing("users", "Users", _list_columns(page, unit), nothing)
    values = {
        "is_hidden": is_hidden,
        "sentence": [(f"{count_of(count, 'user')} with an {unit}", None)],
        "conditions": [*describe_exchange_filter(page)],
        "notes": ["Events of unknown users are not counted."],
        "has_search": False,
    }
    return Content("list.html", "Users", values, () if is_hidden else (make_table(listing, page, count, frame, read),))


def _list_columns(page: Page, unit: Unit) -> tuple[ColumnView, ...]:
    given = exchange_parameters(page)

    def to(path: str, user: str) -> str:
        return page.state.to_page(path, **{**given, "user": user})

    def to_exchanges(row: Row) -> str | None:
        return to("exchanges", row["user_id"]) if unit == "exchange" else None

    def to_sessions(row: Row) -> str | None:
        return to("sessions", row["user_id"]) if unit == "exchange" else None

    return (
        ColumnView("user_id", "User"),
        ColumnView("unit_count", f"{unit.capitalize()}s", "count", to_exchanges),
        ColumnView("session_count", "Sessions", "count", to_sessions),
        ColumnView("first_at", f"First {unit}", "time"),
        ColumnView("last_at", f"Last {unit}", "time"),
    )
