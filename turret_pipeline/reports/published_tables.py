"""Queries of the published tables: sessions of a filter, and their visits.

All SQL of questions about journeys is here. The figures are computed by the pure functions of journeys/.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from turret_pipeline.errors import TurretError, display_path, list_names
from turret_pipeline.journeys.dimensions import list_follow_ups, main_dimension
from turret_pipeline.reports.field_presence import count_sequences_with_field
from turret_pipeline.reports.node_names import NODE_NAMES, TOPIC_NAMES, Node, find_by_name, find_node
from turret_pipeline.reports.node_numbers import quote
from turret_pipeline.reports.scope import Scope
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.warehouse import open_read_only
from turret_pipeline.tables import EVENT_NAME, USER

if TYPE_CHECKING:
    from turret_pipeline.config.pipeline import Settings

ORDER = "(event_at, nanosecond, source_file, line_number, item_number)"

NUMBERED_EVENTS = f"""
select event_id, session_id, user_id, event_name, event_at,
    row_number() over (order by {ORDER}) - 1 as position
from marts.events
"""

_LAST_START = """
with starts as (
    select min(event_at) filter (not is_time_ahead) as trusted_at, min(event_at) as started_at
    from marts.events group by session_id
)
select coalesce(max(trusted_at), max(started_at)) from starts
"""

STRUGGLES = f"""
select session_id, position, is_struggle
from ({NUMBERED_EVENTS}) join marts.exchange_signals on exchange_id = event_id
semi join selected_sessions using (session_id)
where is_struggle is not null
"""


SELECTED = "sessions_of_segments"


class PublishedTables:
    """Queries of the published file of a data folder. Raises TurretError if it is missing or of another version."""

    def __init__(self, data: DataDir, min_users: int) -> None:
        self.data, self.min_users = data, min_users
        data.prepare()

    @classmethod
    def of_settings(cls, settings: "Settings") -> "PublishedTables":
        """The published file of the data folder in the settings."""
        return cls(DataDir(settings.data_dir), settings.privacy_min_users)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the published file. Raises TurretError if it is missing or of another version."""
        if not self.data.warehouse.published.exists():
            found = "Nothing is published in" if self.data.root.is_dir() else "No data folder at"
            remedy = f"run {self.command('run')} first, or choose another folder with --data-dir"
            raise TurretError(f"{found} {self.data.root} yet: {remedy}.")
        with self.data.warehouse.open() as connection, self.explain_other_version():
            yield connection

    @contextmanager
    def explain_other_version(self) -> Iterator[None]:
        """Raise TurretError if a query within asks for a table or a column that the published file lacks."""
        try:
            yield
        except (duckdb.CatalogException, duckdb.BinderException):
            raise TurretError(
                f"{display_path(self.data.warehouse.published)} was published by another version: "
                f"publish it again with {self.command('run')}."
            ) from None

    def command(self, name: str) -> str:
        """A turret command for this data folder, as the user types it."""
        is_default = self.data.root == Path.cwd() / "data"
        return f"turret {name}" if is_default else f"turret {name} --data-dir {display_path(self.data.root)}"

    def query(self, sql: str, *values: object) -> pl.DataFrame:
        """Rows of the published file."""
        with self.open() as connection:
            frame: pl.DataFrame = connection.sql(sql, params=list(values)).pl()
            return frame

    def resolve_dimension(self, name: str | None) -> str:
        """The dimension of this name; by default that of prompts (``journeys.dimensions.main_dimension``).

        Raises TurretError if the name is unknown or there are no journeys.
        """
        nodes = self.query("select dimension, event_count from marts.journey_nodes")
        known = nodes["dimension"].unique().sort().to_list()
        if not known:
            raise TurretError(f"No journeys in {self.data.warehouse.published}: no event was accepted.")
        if name is not None and name not in known:
            raise TurretError(f"Unknown dimension {name!r}. Available: {list_names(known)}.")
        return name or main_dimension(nodes, self.query("select role, field from marts.exchange_roles"))

    def follow_ups(self) -> list[str]:
        """The topics of follow-ups, which are no subject."""
        return list_follow_ups(self.query("select topic_id, role from marts.topics"))

    def labels(self, dimension: str) -> dict[str, str]:
        """Labels of the nodes of a dimension, by node id; a label that several nodes have is followed by the id."""
        nodes = self.query("select node_id, node_label from marts.journey_nodes where dimension = ?", dimension)
        is_shared = pl.len().over("node_label") > 1
        unique_label = pl.when(is_shared).then(pl.format("{} ({})", "node_label", "node_id")).otherwise("node_label")
        return dict(nodes.select("node_id", unique_label).iter_rows())

    def find_node(self, name: str, dimension: str, kinds: Sequence[str] = ("topic", "event", "theme")) -> Node:
        """The node with this name (``node_names.find_node``). Raises TurretError if none or several match."""
        return find_node(self.query(NODE_NAMES), name, dimension, kinds)

    def find_topic_id(self, name: str) -> str | None:
        """Id of the topic with this name in any text field; a topic that is gone is found by its whole label only."""
        active = self.query(f"{TOPIC_NAMES} where status = 'active' order by field, topic_id")
        gone = self.query(f"{TOPIC_NAMES} where status <> 'active' and lower(label) = lower(?) order by topic_id", name)
        is_gone = gone.height and active.filter(pl.col("label").str.to_lowercase() == name.lower()).is_empty()
        node = find_by_name(gone if is_gone else active, name, unique_within=["kind"])
        return node.name if node else None

    def sessions(self, scope: Scope) -> pl.DataFrame:
        """The sessions of a scope: session_id, user_id. Raises TurretError if a segment is unknown."""
        self.check_segments(scope)
        sql, values = select_sessions(scope)
        return self.query(sql, *values)

    @contextmanager
    def select_segments(self, connection: duckdb.DuckDBPyConnection, scope: Scope) -> Iterator[str]:
        """The table of ``select_segment_sessions`` for a scope; empty without segments."""
        if scope.segments:
            connection.execute(f"create or replace temp table {SELECTED} as {select_segment_sessions(scope)}")
        yield SELECTED if scope.segments else ""

    def session_values(self, field: str) -> pl.DataFrame:
        """Value of an enum field of each session, from its first event with the field: session_id, value."""
        return self.query("select session_id, value from marts.session_values where field = ?", field)

    def first_day(self) -> dt.datetime:
        """The day on which the first session begins."""
        first: dt.datetime = self.query("select min(started_at) from marts.sessions").item()
        return first.replace(hour=0, minute=0, second=0, microsecond=0)

    def day_after_last(self) -> dt.datetime:
        """The first moment after the last day on which a session begins, by events whose clock is not ahead if any."""
        last: dt.datetime = self.query(_LAST_START).item()
        return last.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)

    def visits(self, dimension: str, sessions: pl.DataFrame) -> pl.DataFrame:
        """Visits of these sessions in a dimension, in order (``journeys.visits.VISITS_SCHEMA``)."""
        field = dimension.removeprefix(USER)
        node = "event_name as node_id" if field == EVENT_NAME else "coalesce(continues_topic_id, topic_id) as node_id"
        topics = "" if field == EVENT_NAME else "join marts.event_topics using (event_id)"
        where = "true" if field == EVENT_NAME else "field = ? and node_id is not null"
        with self.open() as connection:
            connection.register("selected_sessions", sessions.to_arrow())
            numbered_events = connection.sql(
                f"select session_id, user_id, event_at, position, {node} from ({NUMBERED_EVENTS}) {topics} "
                f"semi join selected_sessions using (session_id) where {where}",
                params=[] if field == EVENT_NAME else [field],
            ).pl()
        return _to_visits(numbered_events, dimension)

    def struggles(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """The exchanges of these sessions in which a struggle is decided: session_id, position, is_struggle."""
        with self.open() as connection:
            connection.register("selected_sessions", sessions.to_arrow())
            decided: pl.DataFrame = connection.sql(STRUGGLES).pl()
            return decided

    def count_sequences_with_field(self, dimension: str, sessions: pl.DataFrame) -> int | None:
        """The number of these sessions, or of their users, that have the text field; None for event names."""
        with self.open() as connection:
            connection.register("selected_sessions", sessions.to_arrow())
            return count_sequences_with_field(connection, dimension, "selected_sessions")

    def hits(self, steps: Sequence[Node], sessions: pl.DataFrame, prefix: str) -> pl.DataFrame:
        """Events of these sessions that match a step of a funnel (``journeys.funnel.HITS_SCHEMA``).

        With the prefix USER, all sessions of a user are one sequence.
        """
        from turret_pipeline.journeys.funnel import HITS_SCHEMA

        visits = {name: self.visits(prefix + name, sessions) for name in sorted({step.dimension for step in steps})}
        hits = [HITS_SCHEMA.to_frame()]
        for number, step in enumerate(steps):
            on_step = visits[step.dimension].filter(pl.col("node_id").is_in(step.node_ids))
            numbered = on_step.with_columns(pl.lit(number).alias("step"))
            hits.append(numbered.select(pl.col(column).cast(kind) for column, kind in HITS_SCHEMA.items()))
        return pl.concat(hits)

    def check_segments(self, scope: Scope) -> None:
        """Raise TurretError if no event has one of the values."""
        for field, value in scope.segments:
            self._check_segment(field, value)

    def _check_segment(self, field: str, value: str) -> None:
        """Raise TurretError if no event has this value of this enum field."""
        enums = self.query("select distinct field from marts.field_values order by field")["field"].to_list()
        if field not in enums:
            raise TurretError(f"Unknown enum field {field!r}. Available: {list_names(enums)}.")
        values = self.query("select value from marts.field_values where field = ? order by event_count desc", field)
        if value not in values["value"]:
            some = ", ".join(values["value"].head(10)) + (" ..." if values.height > 10 else "")
            raise TurretError(f"No event has {field} = {value!r}. Values of {field}: {some}.")


class BuiltTables(PublishedTables):
    """Queries of a built file, before it is published."""

    def __init__(self, path: Path, data: DataDir, min_users: int) -> None:
        super().__init__(data, min_users)
        self._path = path

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the built file."""
        with open_read_only(self._path) as connection:
            yield connection


def select_segment_sessions(scope: Scope) -> str:
    """The query of the sessions that are in all segments of a scope, at any time.

    Their columns are session, the hash of session_id, and session_number, the row of marts.sessions: texts would take
    more time and memory.
    """
    numbers = " intersect ".join(
        "select distinct session_number from numbered.session_values "
        f"where field = {quote(field)} and value in ({', '.join(map(quote, values))})"
        for field, values in scope.values().items()
    )
    return (
        "select hash(session_id) as session, rowid::int as session_number from marts.sessions "
        f"where rowid in ({numbers})"
    )


def select_sessions(scope: Scope) -> tuple[str, list[object]]:
    """The query of the sessions of a scope (session_id, user_id), and its parameters."""
    conditions = {"started_at >= ?": scope.since, "started_at < ?": scope.until}
    filters = {condition: [moment] for condition, moment in conditions.items() if moment is not None}
    of_field = "session_id in (select session_id from marts.session_values where field = ? and list_contains(?, value))"
    parts = [*filters, *(of_field for _ in scope.values())]
    values: list[object] = [value for moments in filters.values() for value in moments]
    for field, of_value in scope.values().items():
        values += [field, of_value]
    return f"select session_id, user_id from marts.sessions where {' and '.join(parts) or 'true'}", values


def _to_visits(numbered_events: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Visits of a dimension, in order, from session_id, user_id, event_at, position and node_id of its events."""
    from turret_pipeline.journeys.visits import VISITS_SCHEMA

    if dimension.startswith(USER):
        numbered_events = numbered_events.filter(pl.col("user_id").is_not_null())
    sequence = pl.col("user_id" if dimension.startswith(USER) else "session_id")
    visits = numbered_events.with_columns(pl.lit(dimension).alias("dimension"), sequence.alias("sequence_id"))
    visits = visits.sort("sequence_id", "position")
    return visits.select(pl.col(column).cast(kind) for column, kind in VISITS_SCHEMA.items())
