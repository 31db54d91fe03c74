"""Users of the exchanges that fulfil conditions, or of events in data without prompts."""

import duckdb
import polars as pl

from turret_pipeline.reports.activity import choose_unit
from turret_pipeline.reports.exchange_filter import ExchangeFilter, Selection, find_exchanges
from turret_pipeline.reports.exchange_lists import RowRange


def list_users(
    connection: duckdb.DuckDBPyConnection, conditions: ExchangeFilter, rows: RowRange, min_users: int = 1
) -> tuple[int, pl.DataFrame]:
    """The number of known users with such an exchange in the scope of a connection, and some of them as rows.

    Those with the most exchanges come first: user_id, unit_count, session_count, first_at, last_at. Without any prompt
    in the data, events are counted instead.
    """
    if choose_unit(connection) == "event" and conditions == ExchangeFilter():
        found = Selection("select user_id, session_id, event_at as unit_at from scoped_events", {})
    else:
        exchanges = find_exchanges(connection, conditions, min_users)
        found = Selection(f"select user_id, session_id, prompt_at as unit_at from ({exchanges.sql})", exchanges.values)
    connection.execute(
        "create or replace temp table listed_users as select user_id, count(*) as unit_count, "
        "count(distinct session_id) as session_count, min(unit_at) as first_at, max(unit_at) as last_at "
        f"from ({found.sql}) where user_id is not null group by user_id",
        found.values,
    )
    count: int = connection.execute("select count(*) from listed_users").fetchall()[0][0]
    frame: pl.DataFrame = connection.sql(
        f"from listed_users order by unit_count desc, user_id limit {rows.limit:d} offset {rows.offset:d}"
    ).pl()
    return count, frame
