{{ config(meta={'dagster': {'ref': {'name': 'topic_weeks'}}}) }}

with

summed as (
    select topic_id, sum(event_count) as event_count, sum(exchange_count) as exchange_count
    from {{ ref('topic_weeks') }}
    group by topic_id
),

exchanges as (
    select subject_topic_id as topic_id, count(*) as exchange_count
    from {{ ref('exchanges') }}
    group by all
),

all_weeks as (
    select field, {{ week_start_date('prompt_at') }} as week_start_date, count(*) as exchange_count
    from {{ ref('exchanges') }}
    group by all
)

select topics.topic_id, summed.event_count::double as found, topics.event_count::double as expected
from {{ ref('topics') }} as topics
left join summed using (topic_id)
where topics.event_count != coalesce(summed.event_count, 0)
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
