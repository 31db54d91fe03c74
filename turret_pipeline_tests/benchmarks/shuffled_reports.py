"""Rows of a report, shuffled so that nothing differs: days over sessions, segments over users, topics over exchanges.

What makes claims false is kept: exchanges of a session and of a user stay together and as alike as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.outcomes import list_struggle_outcomes, topic_outcomes
from turret_pipeline.journeys.segments import journey_segments
from turret_pipeline.journeys.visits import NAME
from turret_pipeline.reports.published_tables import NUMBERED_EVENTS, PublishedTables
from turret_pipeline.reports.report.data import ReportData, read_report_data
from turret_pipeline.reports.scope import Scope
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.tables import EVENT_NAME

ENUM_VALUES = """
select position, field as segment_field,
    coalesce(
        json_extract_string(metadata, '/' || field), json_extract_string(metadata, '/' || replace(field, '.', '/'))
    ) as segment_value
from (select row_number() over (order by event_at, nanosecond, source_file, line_number, item_number) - 1 as position,
    metadata from marts.events)
cross join (select distinct field from marts.field_values)
where trim(segment_value) != ''
order by segment_field, position
"""


@dataclass(frozen=True)
class Source:
    """Rows of a report, and what its journey tables are made of.

    ``events`` are all events in order, ``struggles`` the exchanges that went wrong as events, ``visits`` those of each
    dimension of sessions, and ``values`` those of enum fields by position of the event. Without visits, journeys are
    not compared.
    """

    data: ReportData
    events: pl.DataFrame
    struggles: pl.DataFrame
    visits: tuple[pl.DataFrame, ...]
    values: pl.DataFrame


def read_source(published: PublishedTables, time_zone: str = "UTC") -> Source:
    """The rows of a published file. Raises TurretError if nothing is published."""
    data = read_report_data(published, Scope(), time_zone)
    sessions = published.sessions(Scope())
    dimensions = (EVENT_NAME, *data.exchanges["field"].unique().sort())
    events = published.query(f"select event_name, session_id, user_id, position from ({NUMBERED_EVENTS}) order by all")
    user_of = _list_users(events)
    named = {
        name: getattr(data, name)
        .with_columns(pl.col("session_id").cast(pl.String))
        .drop("user_id")
        .join(user_of, on="session_id", how="left", maintain_order="left")
        for name in ("occurrences", "exchanges")
    }
    return Source(
        replace(data, **named),
        events.sort("position"),
        list_struggle_outcomes(published.struggles(sessions)),
        tuple(published.visits(dimension, sessions) for dimension in dimensions),
        published.query(ENUM_VALUES),
    )


def shuffle_days(rng: np.random.Generator, source: Source) -> Source:
    """Every session gets the days of another one: the events of a session move together."""
    data = source.data
    both = pl.concat([rows.select("session_id", "event_date") for rows in (data.occurrences, data.exchanges)])
    first = both.group_by("session_id").agg(pl.col("event_date").min()).sort("session_id")
    moved = first.with_columns(pl.Series("event_date", _permute(rng, first["event_date"])))
    days = {
        name: getattr(data, name).drop("event_date").join(moved, on="session_id", how="left", maintain_order="left")
        for name in ("occurrences", "exchanges")
    }
    return replace(source, data=replace(data, **days))


def shuffle_users(rng: np.random.Generator, source: Source) -> Source:
    """Every session gets the user of another one, and every user the segments of another one."""
    sessions = _list_sessions(source)
    user_of = sessions.with_columns(_permute(rng, sessions["user_id"]).alias("user_id"))
    return _shuffle_segments(rng, source, user_of)


def shuffle_segments(rng: np.random.Generator, source: Source) -> Source:
    """Every user gets the segments of another one."""
    return _shuffle_segments(rng, source, _list_sessions(source))


def _list_sessions(source: Source) -> pl.DataFrame:
    """The sessions with their users."""
    return _list_users(source.events if source.events.height else source.data.exchanges)


def _list_users(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("session_id").agg(pl.col("user_id").drop_nulls().first()).sort("session_id")


def _shuffle_segments(rng: np.random.Generator, source: Source, user_of: pl.DataFrame) -> Source:
    """The rows with these users of the sessions, and every user with the segments of another one.

    Values that differ between the exchanges of a user, such as the model, are permuted over exchanges.
    """
    data = source.data
    occurrences, exchanges = (_with_user(rows, user_of) for rows in (data.occurrences, data.exchanges))
    known = pl.col("model").is_not_null()
    models = _permute(rng, exchanges.filter(known)["model"])
    exchanges = pl.concat([exchanges.filter(known).with_columns(models), exchanges.filter(~known)])
    shuffled = replace(
        data,
        occurrences=occurrences,
        exchanges=exchanges.sort("exchange_id"),
        segments=_shuffle_values(rng, data.segments, exchanges, data.exchanges, "exchange_id"),
    )
    if not source.visits:
        return replace(source, data=shuffled)
    events = source.events.drop("user_id").join(user_of, on="session_id", how="left", maintain_order="left")
    values = _shuffle_values(rng, source.values, events, source.events, "position")
    of_position = events.select("position", "user_id")
    visits = tuple(
        rows.drop("user_id")
        .join(of_position.with_columns(pl.col("position").cast(rows["position"].dtype)), on="position", how="left")
        .select(rows.columns)
        .cast({"user_id": NAME})
        .sort("sequence_id", "position")
        for rows in source.visits
    )
    return replace(source, data=shuffled, events=events, visits=visits, values=values)


def shuffle_topics(rng: np.random.Generator, source: Source) -> Source:
    """The topics of all exchanges, ordered by user, are moved on by a random number of exchanges.

    Neighbours keep their topics, so that users and sessions are as one-sided as before.
    """
    data = source.data
    exchanges = _rotate(rng, data.exchanges, ["topic_id", "subject_topic_id"])
    visits = tuple(
        rows if rows["dimension"].first() == EVENT_NAME else _rotate(rng, rows, ["node_id"]) for rows in source.visits
    )
    return replace(source, data=replace(data, exchanges=exchanges), visits=visits)


def permute_topics(rng: np.random.Generator, source: Source) -> Source:
    """Every exchange gets the topics of another exchange of its field."""
    parts = []
    for _, rows in source.data.exchanges.group_by("field", maintain_order=True):
        order = rng.permutation(rows.height)
        names = ("topic_id", "subject_topic_id")
        parts.append(rows.with_columns(rows[name].gather(order).alias(name) for name in names))
    return replace(source, data=replace(source.data, exchanges=pl.concat(parts)))


def build_journeys(source: Source) -> ReportData:
    """The rows of the report with the journey tables of the shuffled rows."""
    if not source.visits:
        return source.data
    values = source.values.cast({"segment_field": NAME, "segment_value": NAME})
    edges = pl.concat(journey_edges(rows) for rows in source.visits)
    segments = pl.concat(journey_segments(rows, values, edges) for rows in source.visits)
    texts = [rows for rows in source.visits if rows["dimension"].first() != EVENT_NAME]
    events = source.events.select(pl.col("event_name", "session_id").cast(NAME), "position")
    following = pl.concat([events, source.struggles])
    outcomes = pl.concat(topic_outcomes(rows, following) for rows in texts) if texts else pl.DataFrame()
    return replace(source.data, journey_segments=segments, topic_outcomes=outcomes)


Shuffle = Callable[[np.random.Generator, Source], Source]


def shuffle_all(rng: np.random.Generator, source: Source) -> Source:
    """Days over sessions, users over sessions, segments over users, and topics moved along the exchanges."""
    return shuffle_topics(rng, shuffle_users(rng, shuffle_days(rng, source)))


def shuffle_all_but_users(rng: np.random.Generator, source: Source) -> Source:
    """Days over sessions, segments over users, and topics moved along the exchanges: users keep their sessions."""
    return shuffle_topics(rng, shuffle_segments(rng, shuffle_days(rng, source)))


def _permute(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    return values.gather(rng.permutation(len(values)))


def _with_user(rows: pl.DataFrame, user_of: pl.DataFrame) -> pl.DataFrame:
    """The rows with the users of their sessions, and the clusters that follow from them."""
    moved = rows.drop("user_id").join(user_of, on="session_id", how="left", maintain_order="left")
    return moved.with_columns(_cluster().rank("dense").cast(pl.Int64).alias("cluster_id"))


def _cluster() -> pl.Expr:
    return pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))


def _shuffle_values(
    rng: np.random.Generator, values: pl.DataFrame, rows: pl.DataFrame, before: pl.DataFrame, key: str
) -> pl.DataFrame:
    """The values with those of another user if each user has one, and else with those of another row.

    ``rows`` have the new users of the rows, ``before`` the old ones.
    """
    parts = []
    old, new = (frame.select(key, _cluster().alias("cluster")) for frame in (before, rows))
    for _, part in values.group_by("segment_field", maintain_order=True):
        of_users = part.join(old, on=key, maintain_order="left")
        distinct = of_users.unique(["cluster", "segment_value"]).sort("cluster")
        if distinct["cluster"].n_unique() < 0.95 * distinct.height:
            parts.append(part.with_columns(_permute(rng, part["segment_value"])))
            continue
        one_each = distinct.unique("cluster", keep="first").sort("cluster")
        value_of = one_each.select("cluster", _permute(rng, one_each["segment_value"]))
        moved = part.drop("segment_value").join(new, on=key, maintain_order="left")
        found = moved.join(value_of, on="cluster", how="left", maintain_order="left")
        drawn = pl.Series(_permute(rng, part["segment_value"]))
        parts.append(found.with_columns(pl.col("segment_value").fill_null(drawn)).select(part.columns))
    return pl.concat(parts) if parts else values


def _rotate(rng: np.random.Generator, rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The rows with these columns moved on, over all rows in order of (shuffled) users and sessions."""
    users = (
        rows["user_id"]
        .cast(pl.String)
        .fill_null(rows["session_id" if "session_id" in rows.columns else "sequence_id"].cast(pl.String))
    )
    codes: IntArray = users.rank("dense").cast(pl.Int64).to_numpy() - 1
    rank = rng.permutation(int(codes.max(initial=0)) + 1)[codes]
    order = np.argsort(rank, kind="stable")
    source = np.empty_like(order)
    source[order] = np.roll(order, int(rng.integers(1, max(len(order), 2))))
    return rows.with_columns(rows[name].gather(source).alias(name) for name in names)
