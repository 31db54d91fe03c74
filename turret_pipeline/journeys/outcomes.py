"""Outcomes: topics that an event follows more, or less, often than other topics."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import is_disclosable
from turret_pipeline.journeys.transitions import cluster_codes
from turret_pipeline.journeys.visits import NAME, rank_names, split_by_dimension
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.shares import q_values
from turret_pipeline.stats.standards import compare_with_standards, find_standards
from turret_pipeline.tables import STRUGGLE_OUTCOME, TOPIC_OUTCOMES


def topic_outcomes(visits: pl.DataFrame, events: pl.DataFrame | pl.LazyFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``topic_outcomes`` from the visits of text fields by session and the events that may be outcomes.

    ``events`` have event_name, session_id and position, as in the visits; ``list_struggle_outcomes`` adds the exchanges
    that went wrong.

    The units are the first visits of a session to each topic, and the question is: does the outcome follow later in the
    session? A visit early in a session has more events after it, so a topic is compared with the first visits to other
    topics at the same place: its place is the number of the visit in its session. The baseline share is standardized
    to the places of the topic (direct standardization: Rothman, Greenland and Lash, Modern Epidemiology, 2008, chapter
    4), and events of one user are dependent (Moulton 1986). What comes after a visit, such as the length of the
    session, is not held equal, because the topic may cause it: a topic that ends sessions has fewer events after it
    than others at the same place.

    Rows are left out if the event follows, or does not follow, the topic for fewer than ``min_users`` users, or if they
    would reveal such a row. All topics and outcomes of a text field are one family of q-values.
    """
    last_positions = (
        events.lazy()
        .select(pl.col("event_name", "session_id").cast(NAME), "position")
        .group_by("event_name", "session_id")
        .agg(pl.col("position").max())
        .collect()
    )
    tables = [TOPIC_OUTCOMES.empty()]
    for field, part in split_by_dimension(visits):
        parts = list(_compare_topics(_first_visits(part), last_positions, min_users))
        if parts:
            family = pl.concat(parts).with_columns(pl.lit(field).alias("field"))
            tables.append(family.with_columns(pl.Series("q_value", q_values(family["p_value"].to_numpy()))))
    outcomes = pl.concat([table.select(TOPIC_OUTCOMES.schema.names()) for table in tables])
    return outcomes.sort(TOPIC_OUTCOMES.key)


def list_struggle_outcomes(struggles: pl.DataFrame) -> pl.DataFrame:
    """The exchanges that went wrong as events named STRUGGLE_OUTCOME, at their prompts.

    ``struggles`` has session_id, position and is_struggle; an exchange in which that is not decided is no such event.
    """
    return struggles.filter("is_struggle").select(
        pl.lit(STRUGGLE_OUTCOME).cast(NAME).alias("event_name"), pl.col("session_id").cast(NAME), "position"
    )


def _first_visits(visits: pl.DataFrame) -> pl.DataFrame:
    """The first visit of each session to each topic; ``place`` is the number of the visit in its session, from 0."""
    placed = visits.sort("position").with_columns(pl.int_range(pl.len()).over("sequence_id").alias("place"))
    return placed.unique(["sequence_id", "node_id"], keep="first", maintain_order=True)


def _compare_topics(first_visits: pl.DataFrame, last_positions: pl.DataFrame, min_users: int) -> Iterator[pl.DataFrame]:
    """Rows of all topics of a field, one frame per outcome; ``last_positions`` has the outcomes of each session."""
    topics, number = rank_names(first_visits["node_id"])
    topic = number.cast(pl.Int64).to_numpy()
    session, position = _codes(first_visits["sequence_id"]), first_visits["position"].to_numpy()
    cluster, user_count = cluster_codes(first_visits)
    clusters = [_number_by_appearance(codes) for codes in (session, cluster.to_numpy())]
    user = np.where(cluster.to_numpy() < user_count, cluster.cast(pl.Int64).to_numpy(), -1)
    counts = np.bincount(topic)
    standards = find_standards(topic, first_visits["place"].to_numpy(), clusters, min_users)
    if not len(standards.groups):
        return
    for name, outcome in sorted(last_positions.group_by("event_name"), key=lambda item: str(item[0])):
        outcome_session = _codes(outcome["session_id"])
        last = np.full(int(max(session.max(initial=0), outcome_session.max(initial=0))) + 1, -1)
        last[outcome_session] = outcome["position"].to_numpy()
        is_followed = last[session] > position
        if is_followed.any():
            shares = compare_with_standards(is_followed, standards)
            cells = is_disclosable(is_followed.astype(np.int64), topic, user, (2, len(counts)), min_users)
            is_shown = (cells[0] & cells[1])[shares.groups] & ((min_users <= 1) | (shares.count > 0))
            rows = pl.DataFrame(
                {
                    "topic_id": topics.gather(shares.groups),
                    "outcome_event_name": pl.repeat(str(name[0]), len(shares.groups), eager=True),
                    "session_count": counts[shares.groups],
                    "outcome_session_count": shares.count,
                    "outcome_share": shares.share,
                    "baseline_share": shares.other_share,
                    "difference": shares.comparison.difference,
                    "difference_low": shares.comparison.low,
                    "difference_high": shares.comparison.high,
                    "p_value": shares.comparison.p_value,
                }
            )
            yield rows.filter(is_shown)


def _codes(names: pl.Series) -> IntArray:
    return names.cast(NAME).to_physical().to_numpy()


def _number_by_appearance(codes: IntArray) -> IntArray:
    """The number of each code, from 0, in the order in which the codes first appear.

    Codes of names depend on what the process has read before. Sums of floats in their order would differ from run to
    run in the last digit.
    """
    first = np.full(int(codes.max(initial=0)) + 1, len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    numbers = np.empty(len(first), np.int64)
    numbers[np.argsort(first)] = np.arange(len(first))
    return numbers[codes]
