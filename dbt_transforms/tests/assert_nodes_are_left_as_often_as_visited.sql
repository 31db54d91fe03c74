{{ config(meta={'dagster': {'ref': {'name': 'journey_edges'}}}) }}

with

arrivals as (
    select dimension, to_node_id as node_id, sum(transition_count) as arrival_count
    from {{ ref('journey_edges') }}
    group by all
),

departures as (
    select dimension, from_node_id as node_id, sum(transition_count) as departure_count
    from {{ ref('journey_edges') }}
    group by all
)

select nodes.dimension, nodes.node_id, nodes.event_count, arrivals.arrival_count, departures.departure_count
from {{ ref('journey_nodes') }} as nodes
left join arrivals using (dimension, node_id)
left join departures using (dimension, node_id)
where
    nodes.event_count is distinct from arrivals.arrival_count
    or nodes.event_count is distinct from departures.departure_count
