{{ config(meta={'dagster': {'ref': {'name': 'journey_nodes'}}}) }}

with

sessions as (
    select dimension, count(distinct sequence_id) as session_count
    from {{ ref('journey_steps') }}
    group by dimension
),

shares as (
    select 'starts' as figure, dimension, start_count as counted, start_share as share from {{ ref('journey_nodes') }}
    union all
    select 'ends', dimension, end_count, end_share from {{ ref('journey_nodes') }}
    union all
    select 'loops', dimension, session_count, session_share from {{ ref('journey_loops') }}
    union all
    select 'paths', dimension, session_count, session_share from {{ ref('journey_paths') }}
    union all
    select 'edges', dimension, session_count, null from {{ ref('journey_edges') }}
)

select *
from shares
left join sessions using (dimension)
where
    sessions.session_count is null
    or counted > sessions.session_count
    or abs(share - counted / sessions.session_count) > 1e-9
