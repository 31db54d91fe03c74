"""Figures of one topic within a scope: numbers of its exchanges, neighbours in journeys, and texts.

All but the texts are of a connection of ``open_scope``. Rows of fewer than ``min_users`` users are left out.
"""

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.reports.conversations import read_text
from turret_pipeline.reports.node_numbers import number_of, quote, select_named
from turret_pipeline.reports.topic_figures import TopicField
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables.journeys import END, START

MEASURES = ("cost_usd", "input_tokens", "output_tokens", "latency_seconds", "seconds_to_answer", "rating")
"""Number columns of exchanges."""

TEXTS = 5
"""Central, and borderline, texts that are listed."""

CENTRAL, BORDERLINE = "central", "borderline"
_CANDIDATES = 40
"""Events among which distinct texts are looked for."""

_MEASURE = """
select '{name}' as measure, count({name}) as value_count, sum({name}) as value_sum, avg({name}) as value_mean,
    quantile_cont({name}, 0.5) as value_p50, quantile_cont({name}, 0.95) as value_p95,
    count(distinct user_id) filter ({name} is not null) as user_count
from about
"""

_STEPS = """
create or replace temp table topic_steps as
select sequence, cluster, step_number, node from numbered.steps
where dimension = {field} and sequence in (
    select sequence from numbered.steps where dimension = {field} and node = {topic}
    intersect select session_number from scoped_session_numbers
)
"""

_NEIGHBOURS = """
with own as (select * from topic_steps where node = {topic}),
moves as (
    select own.sequence, own.cluster, coalesce(others.node, {end}) as node
    from own left join topic_steps as others
        on others.sequence = own.sequence and others.step_number = own.step_number + {side}
)
select node, count(*) as transition_count, count(distinct sequence) as session_count,
    count(distinct cluster) filter (cluster >= 0) as user_count, sum(count(*)) over () as total_count
from moves group by node
"""

_TEXTS = f"""
with of_topic as (
    select event_id, similarity, runner_up_topic_id, runner_up_similarity, similarity - runner_up_similarity as margin
    from marts.event_topics where field = $field and topic_id = $topic and similarity is not null
),
candidates as (
    (select '{CENTRAL}' as place, * from of_topic order by similarity desc, event_id limit {_CANDIDATES})
    union all
    (select '{BORDERLINE}', * from of_topic order by margin nulls last, event_id limit {_CANDIDATES})
)
select candidates.*, session_id, metadata, label as runner_up_label, exchange_number
from candidates join marts.events using (event_id)
left join marts.topics on topics.topic_id = runner_up_topic_id
left join (select exchange_id, exchange_number from marts.exchanges) on exchange_id = candidates.event_id
order by if(place = '{CENTRAL}', -similarity, margin) nulls last, event_id
"""


def measure_topic(connection: duckdb.DuckDBPyConnection, topic_id: str, min_users: int) -> pl.DataFrame:
    """Count, sum, mean, median and 95th percentile of each number column of the exchanges about the topic."""
    columns = ", ".join(("user_id", *MEASURES))
    about = f"with about as (select {columns} from scoped_exchanges where subject_topic_id = $topic)"
    measures = " union all ".join(_MEASURE.format(name=name) for name in MEASURES)
    found: pl.DataFrame = connection.sql(f"{about} {measures}", params={"topic": topic_id}).pl()
    shown = found.filter((pl.col("value_count") > 0) & (pl.col("user_count") >= (min_users if min_users > 1 else 0)))
    return shown.sort(pl.col("measure").cast(pl.Enum(MEASURES)))


def list_neighbours(
    connection: duckdb.DuckDBPyConnection, field: str, topic_id: str, min_users: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Topics directly before and directly after the topic in the sessions that start in the scope.

    The most common are first. ``total_count`` are all steps on the topic; share has a 95 % interval (Wilson). The start
    of a session, or its end, is a row as well.
    """
    connection.execute(_STEPS.format(field=quote(field), topic=number_of(topic_id)))
    sides = {-1: START, 1: END}
    before, after = (_list_side(connection, topic_id, side, end, min_users) for side, end in sides.items())
    return before, after


def _list_side(
    connection: duckdb.DuckDBPyConnection, topic_id: str, side: int, end: str, min_users: int
) -> pl.DataFrame:
    counts = _NEIGHBOURS.format(topic=number_of(topic_id), end=number_of(end), side=side)
    found: pl.DataFrame = connection.sql(
        f"select node_id, coalesce(label, node_id) as label, counts.* exclude (node_id) "
        f"from ({select_named(counts, 'node')}) as counts left join marts.topics on topic_id = node_id "
        "order by transition_count desc, node_id"
    ).pl()
    shown = found.filter(pl.col("user_count") >= min_users) if min_users > 1 else found
    sums = [shown[name].cast(pl.Float64).to_numpy() for name in ("transition_count", "total_count")]
    low, high = share_interval(*sums) if shown.height else (np.empty(0), np.empty(0))
    return shown.with_columns(
        pl.col("total_count").cast(pl.Int64),
        (pl.col("transition_count") / pl.col("total_count").cast(pl.Float64)).alias("share"),
        pl.Series("share_low", low, pl.Float64),
        pl.Series("share_high", high, pl.Float64),
    )


def read_texts(connection: duckdb.DuckDBPyConnection, field: TopicField, topic_id: str) -> pl.DataFrame:
    """Distinct texts nearest to the centroid of the topic, and those that are almost as near to another topic.

    ``place`` is central or borderline. ``similarity`` is the cosine to the topic's centroid, ``margin`` that minus the
    cosine to the centroid of the runner-up. They are of all days.
    """
    rows: pl.DataFrame = connection.sql(_TEXTS, params={"field": field.name, "topic": topic_id}).pl()
    texts = pl.Series("text", [read_text(metadata, field.name) for metadata in rows["metadata"]], pl.String)
    named = rows.select(*(name for name in rows.columns if name not in {"place", "metadata"}), "place").with_columns(
        texts
    )
    known = named.drop_nulls("text").unique(["place", "text"], keep="first", maintain_order=True)
    return pl.concat(known.filter(pl.col("place") == place).head(TEXTS) for place in (CENTRAL, BORDERLINE))
