"""Texts of events, read from their metadata for the rows that are shown, and only for those."""

from collections.abc import Mapping

import duckdb
import polars as pl

LISTED = 1000
"""Events up to which their ids and times are listed in the query, which reads only the parts of the table with them."""


def read_metadata(connection: duckdb.DuckDBPyConnection, events: pl.DataFrame) -> Mapping[str, str | None]:
    """Metadata of events, which have event_id and event_at, by id; the time finds them in a table ordered by it."""
    known = events.drop_nulls().unique()
    if known.is_empty():
        return {}
    if known.height <= LISTED:
        marks = ", ".join("?" * known.height)
        rows = connection.execute(
            "select event_id, metadata from marts.events where rowid in "
            f"(select rowid from marts.events where event_at in ({marks}) and event_id in ({marks}))",
            [*known["event_at"], *known["event_id"]],
        )
        return dict(rows.fetchall())
    connection.register("wanted_events", known.to_arrow())
    first, last = known["event_at"].min(), known["event_at"].max()
    sql = "select event_id, metadata from marts.events semi join wanted_events using (event_id)"
    return dict(connection.execute(f"{sql} where event_at between ? and ?", [first, last]).fetchall())
