{{ config(meta={'dagster': {'ref': {'name': 'journey_paths'}}}) }}

with

whole as (
    select dimension, sum(session_count) as session_count
    from {{ ref('journey_paths') }}
    where is_whole_session
    group by dimension
),

sessions as (
    select dimension, count(distinct sequence_id) as session_count
    from {{ ref('journey_steps') }}
    group by dimension
)

select *
from whole
left join sessions using (dimension)
where whole.session_count > coalesce(sessions.session_count, 0)
