select
    field,
    topic_id,
    event_date,
    count(*) as event_count,
    count(distinct session_id) as session_count,
    count(distinct user_id) as user_count,
    count(*) / sum(count(*)) over (partition by field, event_date) as event_share
from {{ ref('int_event_topics') }}
group by field, topic_id, event_date
qualify topic_id is not null
order by field, topic_id, event_date
