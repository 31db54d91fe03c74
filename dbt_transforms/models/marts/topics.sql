select *
from {{ ref('int_topics') }}
order by field, event_count desc, topic_id
