{{ config(meta={'dagster': {'ref': {'name': 'topic_days'}}}) }}

with

summed as (
    select topic_id, sum(event_count) as event_count
    from {{ ref('topic_days') }}
    group by topic_id
)

select topics.topic_id, topics.event_count, summed.event_count as summed_event_count
from {{ ref('topics') }} as topics
left join summed using (topic_id)
where topics.event_count != coalesce(summed.event_count, 0)
