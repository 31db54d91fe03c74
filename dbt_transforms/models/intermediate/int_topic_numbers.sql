select
    event_topics.field,
    event_topics.topic_id,
    event_values.field as number_field,
    event_values.number
from {{ ref('int_event_topics') }} as event_topics
inner join {{ ref('int_event_values') }} as event_values using (event_id)
where
    event_topics.topic_id is not null
    and event_values.field_type = 'number'
    and isfinite(event_values.number)
