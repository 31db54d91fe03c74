select
    event_topics.field,
    event_topics.topic_id,
    event_values.field as number_field,
    count(*) as value_count,
    -- summed in a fixed order: otherwise the last digit would depend on the order in which threads finish
    sum(event_values.number order by event_values.number) / count(*) as value_mean,
    quantile_cont(event_values.number, 0.5) as value_p50,
    quantile_cont(event_values.number, 0.95) as value_p95
from {{ ref('int_event_topics') }} as event_topics
inner join {{ ref('int_event_values') }} as event_values using (event_id)
where
    event_topics.topic_id is not null
    and event_values.field_type = 'number'
    and isfinite(event_values.number)
group by all
order by event_topics.field, event_topics.topic_id, number_field
