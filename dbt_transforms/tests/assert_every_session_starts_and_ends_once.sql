{{ config(meta={'dagster': {'ref': {'name': 'journey_edges'}}}) }}

with

edges as (
    select
        dimension,
        sum(transition_count) filter (where from_node_id = '(start)') as start_count,
        sum(transition_count) filter (where to_node_id = '(end)') as end_count
    from {{ ref('journey_edges') }}
    group by dimension
),

sessions as (
    select dimension, count(distinct sequence_id) as session_count
    from {{ ref('journey_steps') }}
    group by dimension
)

select *
from edges
full join sessions using (dimension)
where
    start_count is distinct from session_count
    or end_count is distinct from session_count
