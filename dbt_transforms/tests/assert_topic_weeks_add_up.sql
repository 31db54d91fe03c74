{{ config(meta={'dagster': {'ref': {'name': 'topic_weeks'}}}) }}

with

summed as (
    select topic_id, sum(event_count) as event_count, sum(exchange_count) as exchange_count
    from {{ ref('topic_weeks') }}
    group by topic_id
),

weeks as (
    select week_start_date
    from {{ ref('user_weeks') }}
),

events as (
    select event_topics.topic_id, count(*) as event_count
    from {{ ref('event_topics') }} as event_topics
    inner join {{ ref('events') }} as events using (event_id)
    where {{ week_start_date('events.event_at') }} in (select week_start_date from weeks)
    group by all
),

exchanges as (
    select subject_topic_id as topic_id, count(*) as exchange_count
    from {{ ref('exchanges') }}
    where {{ week_start_date('prompt_at') }} in (select week_start_date from weeks)
    group by all
),

all_weeks as (
    select field, {{ week_start_date('prompt_at') }} as week_start_date, count(*) as exchange_count
    from {{ ref('exchanges') }}
    group by all
)

select topics.topic_id, summed.event_count::double as found, events.event_count::double as expected
from {{ ref('topics') }} as topics
left join summed using (topic_id)
left join events using (topic_id)
where coalesce(events.event_count, 0) != coalesce(summed.event_count, 0)
union all
select topics.topic_id, summed.exchange_count, exchanges.exchange_count
from {{ ref('topics') }} as topics
left join summed using (topic_id)
left join exchanges using (topic_id)
where coalesce(exchanges.exchange_count, 0) != coalesce(summed.exchange_count, 0)
union all
select topic_weeks.topic_id, topic_weeks.exchange_share, topic_weeks.exchange_count / all_weeks.exchange_count
from {{ ref('topic_weeks') }} as topic_weeks
left join all_weeks using (field, week_start_date)
where
    (topic_weeks.exchange_share is null) != (all_weeks.exchange_count is null)
    or abs(topic_weeks.exchange_share - topic_weeks.exchange_count / all_weeks.exchange_count) > 1e-9
