"""The published file as questions about journeys read it: which sessions are asked about, and what they do.

Belongs here: all SQL of questions. Not here: what is counted, which are pure functions of journeys/.
"""

import datetime as dt
import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.journeys.dimensions import main_dimension
from turret_pipeline.journeys.funnel import HITS_SCHEMA
from turret_pipeline.journeys.visits import VISITS_SCHEMA
from turret_pipeline.orchestration.resources import Workspace, open_to_read
from turret_pipeline.tables import EVENT_NAME, USER

ORDER = "(event_at, source_file, line_number, item_number)"

TOPIC_NAMES = """
select 'topic' as kind, field as dimension, topic_id as name, label, [topic_id] as node_ids from marts.topics
"""

NAMES = f"""
{TOPIC_NAMES} where status = 'active'
union all
select 'event', '{EVENT_NAME}', node_id, node_id, [node_id]
from marts.journey_nodes where dimension = '{EVENT_NAME}'
union all
select 'theme', field, theme_id, min(theme_label), list(topic_id order by topic_id)
from marts.topics where status = 'active' and theme_id is not null group by field, theme_id
"""

PLACED = f"""
select event_id, session_id, user_id, event_name, event_at,
    row_number() over (order by {ORDER}) - 1 as position
from marts.events
"""


@dataclass(frozen=True)
class Scope:
    """The sessions that are asked about: whole sessions that begin in a period and are of some segments.

    ``until`` is the first moment after the period. A session is of the value that its first event with the enum field
    has there.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    segments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Node:
    """What a person called by name: a topic, an event or a theme, as the nodes it is in its dimension."""

    kind: str
    dimension: str
    name: str
    label: str
    node_ids: tuple[str, ...]


class Published:
    """Questions to the published file of a data folder. TurretError where there is none, or one of another version."""

    def __init__(self, space: Workspace) -> None:
        self.space = space

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.space.published.exists():
            found = "Nothing is published in" if self.space.root.is_dir() else "There is no data folder"
            remedy = f"give another one with --data-dir, or run {self.command('run')} first"
            raise TurretError(f"{found} {self.space.root} yet: {remedy}.")
        try:
            with open_to_read(self.space.published) as connection:
                yield connection
        except (duckdb.CatalogException, duckdb.BinderException):
            raise TurretError(
                f"{display_path(self.space.published)} was published by another version: turret run makes it anew."
            ) from None

    def command(self, name: str) -> str:
        """A command as a person here types it for this data folder."""
        is_default = self.space.root == Path.cwd() / "data"
        return f"turret {name}" if is_default else f"turret {name} --data-dir {display_path(self.space.root)}"

    def query(self, sql: str, *values: object) -> pl.DataFrame:
        """Rows of the published file."""
        with self._open() as connection:
            frame: pl.DataFrame = connection.sql(sql, params=list(values)).pl()
            return frame

    def dimension(self, name: str | None) -> str:
        """The dimension of that name; without one, the text field with most events on a topic, else event_name."""
        nodes = self.query("select dimension, event_count from marts.journey_nodes")
        known = nodes["dimension"].unique().sort().to_list()
        if not known:
            raise TurretError(f"There are no journeys in {self.space.published}: no event was accepted.")
        if name is not None and name not in known:
            raise TurretError(f"There is no dimension {name!r}; there are: {', '.join(known)}.")
        return main_dimension(nodes) if name is None else name

    def labels(self, dimension: str) -> dict[str, str]:
        """What nodes of a dimension are called; a label that several have is followed by the id."""
        nodes = self.query("select node_id, node_label from marts.journey_nodes where dimension = ?", dimension)
        is_shared = pl.len().over("node_label") > 1
        told = pl.when(is_shared).then(pl.format("{} ({})", "node_label", "node_id")).otherwise("node_label")
        return dict(nodes.select("node_id", told).iter_rows())

    def node(self, name: str, dimension: str, kinds: Sequence[str] = ("topic", "event", "theme")) -> Node:
        """What is called so: an id, a label, or part of one that fits only one; topic:, event: or theme: may precede.

        A topic goes before an event, that before a theme, and what is of the ``dimension`` before what is not.
        """
        known = self.query(NAMES).filter(pl.col("kind").is_in(list(kinds)))
        order = pl.col("kind").replace_strict({"topic": 0, "event": 1, "theme": 2}, return_dtype=pl.Int64)
        is_elsewhere = pl.col("dimension") != dimension.removeprefix(USER)
        known = known.sort(is_elsewhere, order, "name")
        kind, _, rest = name.partition(":")
        of_kind = known.filter(pl.col("kind") == kind) if rest else known.clear()
        for candidates, wanted in ((known, name), (of_kind, rest)):
            if found := _called(candidates, wanted):
                return found
        wanted, among = (rest, of_kind) if of_kind.height else (name, known)
        raise TurretError(_unknown(wanted, kinds, among))

    def topic_id(self, name: str) -> str | None:
        """The topic called so in any text field, as ``node`` takes names; one that is gone by its whole label."""
        active = self.query(f"{TOPIC_NAMES} where status = 'active' order by field, topic_id")
        gone = self.query(f"{TOPIC_NAMES} where status <> 'active' and lower(label) = lower(?) order by topic_id", name)
        is_meant = gone.height and active.filter(pl.col("label").str.to_lowercase() == name.lower()).is_empty()
        found = _called(gone if is_meant else active, name, within=["kind"])
        return found.name if found else None

    def sessions(self, scope: Scope) -> pl.DataFrame:
        """The sessions of a scope: session_id, user_id."""
        sessions = self.query("select session_id, user_id, started_at from marts.sessions")
        if scope.since is not None:
            sessions = sessions.filter(pl.col("started_at") >= scope.since)
        if scope.until is not None:
            sessions = sessions.filter(pl.col("started_at") < scope.until)
        for field, value in scope.segments:
            self._require_segment(field, value)
            of_value = self.values(field).filter(pl.col("value") == value)
            sessions = sessions.join(of_value, on="session_id", how="semi")
        return sessions.select("session_id", "user_id")

    def values(self, field: str) -> pl.DataFrame:
        """session_id and value: that of the first event of each session that has this enum field."""
        return self.query(
            f"select session_id, arg_min(value, {ORDER}) as value from (select *, {VALUE} as value from marts.events) "
            "where trim(value) != '' group by session_id",
            *_pointers(field),
        )

    def first_day(self) -> dt.datetime:
        """The day on which the first session begins."""
        first: dt.datetime = self.query("select min(started_at) from marts.sessions").item()
        return first.replace(hour=0, minute=0, second=0, microsecond=0)

    def day_after_last(self) -> dt.datetime:
        """The first moment after the last day on which a session begins."""
        last: dt.datetime = self.query("select max(started_at) from marts.sessions").item()
        return last.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)

    def visits(self, dimension: str, sessions: pl.DataFrame) -> pl.DataFrame:
        """The visits of these sessions in a dimension, in order (``journeys.visits.VISITS_SCHEMA``)."""
        field = dimension.removeprefix(USER)
        node = "event_name as node_id" if field == EVENT_NAME else "coalesce(continues_topic_id, topic_id) as node_id"
        topics = "" if field == EVENT_NAME else "join marts.event_topics using (event_id)"
        where = "true" if field == EVENT_NAME else "field = ? and node_id is not null"
        with self._open() as connection:
            connection.register("chosen", sessions.to_arrow())
            placed = connection.sql(
                f"select session_id, user_id, event_at, position, {node} from ({PLACED}) {topics} "
                f"semi join chosen using (session_id) where {where}",
                params=[] if field == EVENT_NAME else [field],
            ).pl()
        return _in_order(placed, dimension)

    def hits(self, steps: Sequence[Node], sessions: pl.DataFrame, prefix: str) -> pl.DataFrame:
        """The events of these sessions that are steps of a funnel (``journeys.funnel.HITS_SCHEMA``).

        ``prefix`` is USER where all sessions of a user are one.
        """
        visits = {name: self.visits(prefix + name, sessions) for name in sorted({step.dimension for step in steps})}
        hits = [HITS_SCHEMA.to_frame()]
        for number, step in enumerate(steps):
            on_step = visits[step.dimension].filter(pl.col("node_id").is_in(step.node_ids))
            numbered = on_step.with_columns(pl.lit(number).alias("step"))
            hits.append(numbered.select(pl.col(column).cast(kind) for column, kind in HITS_SCHEMA.items()))
        return pl.concat(hits)

    def _require_segment(self, field: str, value: str) -> None:
        """TurretError where no event has this value of this enum field, saying which there are."""
        enums = self.query("select distinct field from marts.field_values order by field")["field"].to_list()
        if field not in enums:
            raise TurretError(f"There is no enum field {field!r}; there are: {', '.join(enums) or 'none'}.")
        values = self.query("select value from marts.field_values where field = ? order by event_count desc", field)
        if value not in values["value"]:
            some = ", ".join(values["value"].head(10)) + (" ..." if values.height > 10 else "")
            raise TurretError(f"No event has {field} = {value!r}; its values are: {some}.")


VALUE = "coalesce(json_extract_string(metadata, ?), json_extract_string(metadata, ?))"
"""The value of a field, whose name may be the path of a nested one."""


def _pointers(field: str) -> list[str]:
    """JSON pointers to a field called so, and to one nested so."""
    escaped = field.replace("~", "~0").replace("/", "~1")
    return [f"/{escaped}", f"/{escaped.replace('.', '/')}"]


def _in_order(placed: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """The visits of a dimension, from session_id, user_id, event_at, position and node_id of its events."""
    if dimension.startswith(USER):
        placed = placed.filter(pl.col("user_id").is_not_null())
    sequence = pl.col("user_id" if dimension.startswith(USER) else "session_id")
    visits = placed.with_columns(pl.lit(dimension).alias("dimension"), sequence.alias("sequence_id"))
    visits = visits.sort("sequence_id", "position")
    return visits.select(pl.col(column).cast(kind) for column, kind in VISITS_SCHEMA.items())


def _node(row: dict[str, object]) -> Node:
    ids = row["node_ids"]
    assert isinstance(ids, list)
    return Node(str(row["kind"]), str(row["dimension"]), str(row["name"]), str(row["label"]), tuple(ids))


def _called(known: pl.DataFrame, wanted: str, within: Sequence[str] = ("kind", "dimension")) -> Node | None:
    """The first that has this id, or this label; or the only one whose label has it as a part. TurretError of several.

    Of two that are called the same ``within`` one kind and dimension, the label says too little: the id must follow it.
    """
    lower, label = wanted.lower(), pl.col("label").str.to_lowercase()
    told = pl.format("{} ({})", "label", "name").str.to_lowercase()
    for test in (pl.col("name") == wanted, told == lower, label == lower):
        found = known.filter(test)
        if found.height:
            first = found.head(1)
            alike = found.join(first, on=list(within), how="semi")
            if alike.height > 1:
                raise TurretError(_several(wanted, alike))
            return _node(first.row(0, named=True))
    part = known.filter(label.str.contains(lower, literal=True)) if lower else known.clear()
    if part.height > 1:
        raise TurretError(_several(wanted, part))
    return _node(part.row(0, named=True)) if part.height else None


def _told(known: pl.DataFrame) -> list[str]:
    """Labels, each with its id where that is another word."""
    return [
        label if label == name else f"{label} ({name})" for name, label in known.select("name", "label").iter_rows()
    ]


def _several(wanted: str, found: pl.DataFrame) -> str:
    return f"{wanted!r} may be several: {', '.join(_told(found)[:5])}. Give the name in full, or the id."


def _unknown(wanted: str, kinds: Sequence[str], known: pl.DataFrame) -> str:
    what = f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
    called = dict(zip(_told(known), known["label"], strict=True))
    near = difflib.get_close_matches(wanted, called.values(), n=3, cutoff=0.5)
    some = [told for name in near for told, label in called.items() if label == name] or list(called)
    told = ", ".join(some[:3]) or "none"
    return f"There is no {what} {wanted!r}; there are for instance: {told}. `turret topics list` has all topics."
