{{ config(meta={'dagster': {'ref': {'name': 'journey_nodes'}}}) }}

with

counted as (
    select field as dimension, coalesce(continues_topic_id, topic_id) as node_id, count(*) as event_count
    from {{ ref('event_topics') }}
    where
        coalesce(continues_topic_id, topic_id) is not null
        and field != 'event_name'
        and not starts_with(field, 'user:')
    group by all
),

nodes as (
    select dimension, node_id, event_count
    from {{ ref('journey_nodes') }}
    where dimension != 'event_name' and not starts_with(dimension, 'user:')
)

select dimension, node_id, counted.event_count, nodes.event_count as node_event_count
from counted
full join nodes using (dimension, node_id)
where counted.event_count is distinct from nodes.event_count
