with

daily as (
    select
        event_topics.field,
        event_topics.topic_id,
        events.event_date,
        events.session_id,
        events.user_id
    from {{ ref('int_event_topics') }} as event_topics
    inner join {{ ref('stg_events') }} as events using (event_id)
),

totals as (
    select field, event_date, count(*) as field_event_count
    from daily
    group by all
)

select
    daily.field,
    daily.topic_id,
    daily.event_date,
    count(*) as event_count,
    count(distinct daily.session_id) as session_count,
    count(distinct daily.user_id) as user_count,
    count(*) / any_value(totals.field_event_count) as event_share
from daily
inner join totals using (field, event_date)
where daily.topic_id is not null
group by all
order by daily.field, daily.topic_id, daily.event_date
