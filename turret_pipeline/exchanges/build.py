"""Writing the tables of exchanges from the tables of the lake, one shard of sessions after the other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from turret_pipeline.exchanges import queries
from turret_pipeline.exchanges.fields import COLUMN, list_used_fields
from turret_pipeline.exchanges.roles import NamedEvents, assign_roles, list_candidates
from turret_pipeline.exchanges.split import ROLE_COUNTS, create_shard_views, list_shard_files, split_into_shards
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.shard import Engine, Shard
from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.storage.lake import Lake, escape_sql_path, escape_sql_target
from turret_pipeline.storage.scratch_database import (
    JOIN_AS_WRITTEN,
    create_lake_views,
    open_scratch_database,
    open_scratch_folder,
)
from turret_pipeline.tables import EXCHANGE_VALUES, EXCHANGES

EVENTS_PER_SHARD = 500_000
"""With ten values per event, a shard of this size needs about 500 MB."""

MEMORY_LIMIT, SHARD_MEMORY_LIMIT = "2GB", "1GB"
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


def write_exchanges(lake: Lake, options: ExchangeOptions, engine: Engine = LOCAL) -> pl.DataFrame:
    """Write ``exchange_roles``, ``exchanges`` and ``exchange_values``; return the roles."""
    types = dict(lake.read("fields").select("field", "type").iter_rows())
    folder = temp_path(lake.root / "shards")
    try:
        folder.mkdir(parents=True)
        with open_scratch_database(lake, MEMORY_LIMIT) as connection:
            connection.execute(JOIN_AS_WRITTEN)
            _create_views(connection, lake)
            roles = lake.write("exchange_roles", _find_roles(connection, types, options.named))
            roles.with_row_index("preference").write_parquet(folder / "roles.parquet")
            list_used_fields(types).write_parquet(folder / "used_fields.parquet")
            _create_small_tables(connection, folder / "roles.parquet", folder / "used_fields.parquet")
            shards = max(math.ceil(_count_events(connection) / options.events_per_shard), 1)
            split_into_shards(connection, folder, shards)
            sum(engine.run(_list_shards(folder, shards, options.session_gap_minutes), folder))
            for table in (EXCHANGES, EXCHANGE_VALUES):
                lake.copy(connection, table.name, f"from read_parquet('{escape_sql_path(folder)}/{table.name}-*')")
    finally:
        remove(folder)
    return roles


def _list_shards(folder: Path, shards: int, session_gap_minutes: float) -> Iterator[Shard[int]]:
    small = {"roles": folder / "roles.parquet", "used_fields": folder / "used_fields.parquet"}
    for shard in range(shards):
        files = {**small, **list_shard_files(folder, shard)}
        yield Shard(_write_shard, (shard, session_gap_minutes), files)


def _create_small_tables(connection: duckdb.DuckDBPyConnection, roles: Path, used_fields: Path) -> None:
    for name, file in (("event_roles", roles), ("used_fields", used_fields)):
        connection.execute(f"create temp table {name} as from read_parquet('{escape_sql_path(file)}')")


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
    folder: Path, shard: int, session_gap_minutes: float, roles: Path, used_fields: Path, **files: Path
) -> int:
    """Write both tables of a shard, as files of the folder, and return their number."""
    used = pl.read_parquet(used_fields, glob=False)
    columns = used.filter(pl.col("use") == COLUMN)["target"]
    tables = {EXCHANGES: queries.EXCHANGES, EXCHANGE_VALUES: queries.EXCHANGE_VALUES}
    with open_scratch_folder(folder, SHARD_MEMORY_LIMIT) as connection:
        connection.execute(JOIN_AS_WRITTEN)
        _create_small_tables(connection, roles, used_fields)
        create_shard_views(connection, files)
        for step in queries.list_steps(has_other_names=columns.n_unique() < columns.len()).values():
            connection.execute(step)
        for table, query in tables.items():
            target = escape_sql_target(folder / f"{table.name}-{shard:05}.parquet")
            names, gap = ", ".join(table.schema.names()), {"gap": session_gap_minutes} if "$gap" in query else {}
            connection.execute(f"copy (select {names} from ({query})) to '{target}' (format parquet)", gap)
    return len(tables)
