"""Writing the tables of exchanges from the tables of the lake, one shard of sessions after the other."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from turret_pipeline.exchanges import queries
from turret_pipeline.exchanges.fields import COLUMN, list_used_fields
from turret_pipeline.exchanges.roles import NamedEvents, assign_roles, list_candidates
from turret_pipeline.exchanges.split import ROLE_COUNTS, create_shard_views, split_into_shards
from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.storage.lake import Lake, escape_sql_path, escape_sql_target
from turret_pipeline.storage.scratch_database import JOIN_AS_WRITTEN, create_lake_views, open_scratch_database
from turret_pipeline.tables import EXCHANGE_VALUES, EXCHANGES

EVENTS_PER_SHARD = 2_500_000
"""With ten values per event, a shard of this size needs about 2 GB."""

MEMORY_LIMIT = "2GB"
READ = ("event_values", "event_texts", "text_topics", "continuations")


@dataclass(frozen=True)
class ExchangeOptions:
    """Settings of exchanges.

    ``named`` are the events that a person gave a role. A session of which an event is less than ``session_gap_minutes``
    old may still go on. A shard has the sessions of about ``events_per_shard`` events.
    """

    named: NamedEvents = field(default_factory=NamedEvents)
    session_gap_minutes: float = 30
    events_per_shard: int = EVENTS_PER_SHARD


def write_exchanges(lake: Lake, options: ExchangeOptions) -> pl.DataFrame:
    """Write ``exchange_roles``, ``exchanges`` and ``exchange_values``; return the roles."""
    types = dict(lake.read("fields").select("field", "type").iter_rows())
    folder = temp_path(lake.root / "shards")
    try:
        folder.mkdir(parents=True)
        with open_scratch_database(lake, MEMORY_LIMIT) as connection:
            connection.execute(JOIN_AS_WRITTEN)
            _create_views(connection, lake)
            roles = lake.write("exchange_roles", _find_roles(connection, types, options.named))
            connection.register("event_roles", roles.with_row_index("preference").to_arrow())
            used = list_used_fields(types)
            connection.register("used_fields", used.to_arrow())
            columns = used.filter(pl.col("use") == COLUMN)["target"]
            steps = queries.list_steps(has_other_names=columns.n_unique() < columns.len())
            shards = max(math.ceil(_count_events(connection) / options.events_per_shard), 1)
            split_into_shards(connection, folder, shards)
            for shard in range(shards):
                create_shard_views(connection, folder, shard)
                _write_shard(connection, folder, steps, shard, options.session_gap_minutes)
            for table in (EXCHANGES, EXCHANGE_VALUES):
                lake.copy(connection, table.name, f"from read_parquet('{escape_sql_path(folder)}/{table.name}-*')")
    finally:
        remove(folder)
    return roles


def _create_views(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    create_lake_views(connection, lake, READ)
    lake.scan("events")
    connection.execute(
        "create view lake_events as select * exclude (file_row_number), file_row_number as position "
        f"from read_parquet('{escape_sql_path(lake.path('events'))}', file_row_number = true)"
    )


def _find_roles(connection: duckdb.DuckDBPyConnection, types: dict[str, str], named: NamedEvents) -> pl.DataFrame:
    """Roles of the events, from the numbers of events with each text or rating."""
    candidates = [(field, types[field] == "text") for field in list_candidates(types)]
    schema = {"field": pl.String(), "is_text": pl.Boolean()}
    connection.register("candidate_fields", pl.DataFrame(candidates, schema, orient="row").to_arrow())
    counts: pl.DataFrame = connection.sql(ROLE_COUNTS).pl()
    return assign_roles(counts, types, named)


def _count_events(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("select count(*) from lake_events").fetchall()[0][0])


def _write_shard(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    steps: dict[str, str],
    shard: int,
    session_gap_minutes: float,
) -> None:
    """Write both tables of a shard, as files of the folder."""
    for step in steps.values():
        connection.execute(step)
    gap: dict[str, object] = {"gap": session_gap_minutes}
    for table, query, values in ((EXCHANGES, queries.EXCHANGES, gap), (EXCHANGE_VALUES, queries.EXCHANGE_VALUES, {})):
        target = escape_sql_target(folder / f"{table.name}-{shard:05}.parquet")
        columns = ", ".join(table.schema.names())
        connection.execute(f"copy (select {columns} from ({query})) to '{target}' (format parquet)", values)
    for name in steps:
        connection.execute(f"drop table {name}")
