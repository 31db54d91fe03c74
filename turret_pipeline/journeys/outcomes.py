"""Which topics lead to an event more, or less, often than the other topics do."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import may_be_told
from turret_pipeline.journeys.segments import dense
from turret_pipeline.journeys.transitions import clusters
from turret_pipeline.journeys.visits import NAME, numbered, of_each_dimension
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import TOPIC_OUTCOMES


def topic_outcomes(visits: pl.DataFrame, events: pl.DataFrame | pl.LazyFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``topic_outcomes`` from the visits of text fields by session and the events that may be outcomes.

    ``events`` have event_name, session_id and position, as in the visits.

    What is compared are a session's first visits to each topic: is it followed by the outcome, later in the session?
    A visit to a topic and one to another have the same chance to be followed by it where neither topics nor their
    places matter: one that opens sessions has more after it than one that closes them, which scores low by its place
    alone. Sessions with and without a topic would differ even so, as those with it are longer. Where an event follows,
    or does not follow, a topic for fewer than ``min_users`` users, the row is left out, and those that would give it
    away. The q-values of a text field are of one family: all its topics and outcomes.
    """
    lasts = (
        events.lazy()
        .select(pl.col("event_name", "session_id").cast(NAME), "position")
        .group_by("event_name", "session_id")
        .agg(pl.col("position").max())
        .collect()
    )
    tables = [TOPIC_OUTCOMES.empty()]
    for field, part in of_each_dimension(visits):
        first = part.sort("position").unique(["sequence_id", "node_id"], keep="first", maintain_order=True)
        compared = list(_compared(first, lasts, min_users))
        if compared:
            family = pl.concat(compared).with_columns(pl.lit(field).alias("field"))
            tables.append(family.with_columns(pl.Series("q_value", q_values(family["p_value"].to_numpy()))))
    found = pl.concat([table.select(TOPIC_OUTCOMES.schema.names()) for table in tables])
    return found.sort(TOPIC_OUTCOMES.key)


def _compared(firsts: pl.DataFrame, lasts: pl.DataFrame, min_users: int) -> Iterator[pl.DataFrame]:
    """Every topic of a field against each outcome; ``lasts`` has the last position of it in each session."""
    topics, number = numbered(firsts["node_id"])
    topic = number.cast(pl.Int64).to_numpy()
    session, position = _physical(firsts["sequence_id"]), firsts["position"].to_numpy()
    cluster, user_count = clusters(firsts)
    of_clusters = [dense(numbers)[1] for numbers in (session, cluster.to_numpy())]
    user = np.where(cluster.to_numpy() < user_count, cluster.cast(pl.Int64).to_numpy(), -1)
    counts = np.bincount(topic)
    for name, of_name in sorted(lasts.group_by("event_name"), key=lambda item: str(item[0])):
        sessions = _physical(of_name["session_id"])
        last = np.full(int(max(session.max(initial=0), sessions.max(initial=0))) + 1, -1)
        last[sessions] = of_name["position"].to_numpy()
        is_followed = last[session] > position
        shares = compare_groups(np.where(is_followed, 0, -1), topic, of_clusters, min_users)
        if is_followed.any() and len(shares.groups):
            both = may_be_told(is_followed.astype(np.int64), topic, user, (2, len(counts)), min_users)
            told = (both[0] & both[1])[shares.groups] & ((min_users <= 1) | (shares.count[0] > 0))
            rows = pl.DataFrame(
                {
                    "topic_id": topics.gather(shares.groups),
                    "outcome_event_name": pl.repeat(str(name[0]), len(shares.groups), eager=True),
                    "session_count": counts[shares.groups],
                    "outcome_session_count": shares.count[0],
                    "outcome_share": shares.share[0],
                    "baseline_share": shares.other_share[0],
                    "difference": shares.found.difference[0],
                    "difference_low": shares.found.low[0],
                    "difference_high": shares.found.high[0],
                    "p_value": shares.found.p_value[0],
                }
            )
            yield rows.filter(told)


def _physical(names: pl.Series) -> IntArray:
    return names.cast(NAME).to_physical().to_numpy()
