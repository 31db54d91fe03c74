{{ config(meta={'dagster': {'ref': {'name': 'journey_nodes'}}}) }}

with

node_counts as (
    select dimension, node_id, '(start)' as from_node_id, node_id as to_node_id, start_count as counted
    from {{ ref('journey_nodes') }}
    union all
    select dimension, node_id, node_id, '(end)', end_count from {{ ref('journey_nodes') }}
    union all
    select dimension, node_id, node_id, node_id, cast(round(repeat_share * event_count) as bigint)
    from {{ ref('journey_nodes') }}
)

select node_counts.*, edges.transition_count
from node_counts
left join {{ ref('journey_edges') }} as edges using (dimension, from_node_id, to_node_id)
where coalesce(counted, 0) != coalesce(edges.transition_count, 0)
