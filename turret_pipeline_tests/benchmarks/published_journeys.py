"""The journeys of a generated published file: steps of sessions and users, and the tables that are counted from them.

The events of a session alternate between prompt and answer, and topics are those of prompts.
"""

from collections.abc import Mapping

import duckdb
import polars as pl

from turret_pipeline.reports.journey_patterns import read_loops, read_paths
from turret_pipeline.reports.journey_scope import define_steps

DIMENSIONS = {
    "prompt": ("topic_events", "session_id"),
    "event_name": ("named_events", "session_id"),
    "user:prompt": ("topic_events", "user_id"),
    "user:event_name": ("named_events", "user_id"),
}
"""Dimensions with the source of their nodes and the column of their sequences."""

SOURCES = """
create temp view topic_events as
    select session_id, user_id, 'prompt-' || topic_number as node_id, prompt_at as event_at from turns;
create temp view named_events as
    select session_id, user_id, 'prompt_sent' as node_id, prompt_at as event_at from turns
    union all
    select session_id, user_id, 'answer_shown', prompt_at + to_seconds(5) from turns;
"""

_STEPS = """
with visits as (
    select {sequence} as sequence_id, any_value({session}) over w as session_id, user_id, node_id, event_at,
        (lag(node_id) over w is distinct from node_id)::int as is_new
    from {source} window w as (partition by {sequence} order by event_at)
),
blocks as (select *, sum(is_new) over (partition by sequence_id order by event_at) as block from visits),
steps as (
    select sequence_id, any_value(session_id) as session_id, any_value(user_id) as user_id, block as step_number,
        any_value(node_id) as node_id, min(event_at) as started_at, max(event_at) as ended_at, count(*) as event_count
    from blocks group by sequence_id, block
)
select '{dimension}' as dimension, *,
    date_diff('second', ended_at, lead(started_at) over (partition by sequence_id order by step_number))
        as seconds_to_next
from steps order by sequence_id, step_number
"""

NODES = """
select dimension, node_id, coalesce(label, node_id) as node_label, sum(steps.event_count)::bigint as event_count,
    count(distinct sequence_id) as session_count, count(*) filter (step_number = 1) as start_count, 0.1 as start_share,
    count(*) filter (seconds_to_next is null) as end_count, 0.1 as end_share, 0.2 as repeat_share, 0.01 as pagerank,
    0.01 as betweenness
from marts.journey_steps as steps left join marts.topics on topic_id = node_id group by all
"""

EDGES = """
with moves as (
    select dimension, user_id, sequence_id, node_id as from_node_id, lead(node_id) over w as to_node_id, 1 as times
    from marts.journey_steps window w as (partition by dimension, sequence_id order by step_number)
    union all
    select dimension, user_id, sequence_id, node_id, node_id, event_count - 1 from marts.journey_steps
    where event_count > 1
)
select dimension, from_node_id, to_node_id, sum(times)::bigint as transition_count,
    count(distinct sequence_id) as session_count, count(distinct user_id) as user_count, 0.1 as probability,
    0.05 as probability_low, 0.2 as probability_high, 60 as median_seconds, 120 as p95_seconds
from moves where to_node_id is not null group by all
"""

COUNTED = {"journey_nodes": NODES, "journey_edges": EDGES}


def select_steps(dimension: str) -> str:
    """The query of the steps of a dimension, in order, after SOURCES."""
    source, sequence = DIMENSIONS[dimension]
    session = "session_id" if sequence == "session_id" else "null::varchar"
    return _STEPS.format(dimension=dimension, source=source, sequence=sequence, session=session)


def read_patterns(connection: duckdb.DuckDBPyConnection) -> Mapping[str, pl.DataFrame]:
    """The tables journey_loops and journey_paths, counted from journey_steps."""
    loops, paths = [], []
    for dimension in DIMENSIONS:
        define_steps(connection, dimension, is_filtered=False)
        named = pl.lit(dimension).alias("dimension")
        loops.append(read_loops(connection).with_columns(named))
        of_lengths = [read_paths(connection, length).head(1000) for length in (*range(2, 6), None)]
        paths.append(pl.concat(of_lengths).with_columns(named))
    return {
        "journey_loops": pl.concat(loops).rename({"share": "session_share"}),
        "journey_paths": pl.concat(paths).rename({"share": "session_share"}),
    }
