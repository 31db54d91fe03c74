{{ config(meta={'dagster': {'ref': {'name': 'sessions'}}}) }}

select
    (select sum(event_count) from {{ ref('sessions') }}) as session_events,
    (select count(*) from {{ ref('events') }}) as events
where session_events is distinct from nullif(events, 0)
