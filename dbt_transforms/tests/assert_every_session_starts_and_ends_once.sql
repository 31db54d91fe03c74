-- Start and drop-off shares have all sessions of the dimension as denominator.
{{ config(meta={'dagster': {'ref': {'name': 'journey_nodes'}}}) }}

with

nodes as (
    select dimension, sum(start_count) as start_count, sum(end_count) as end_count
    from {{ ref('journey_nodes') }}
    group by dimension
),

sessions as (
    select dimension, count(distinct session_id) as session_count
    from {{ ref('journey_steps') }}
    group by dimension
)

select *
from nodes
full join sessions using (dimension)
where
    start_count is distinct from session_count
    or end_count is distinct from session_count
