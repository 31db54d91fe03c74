select *
from {{ ref('stg_topic_outcomes') }}
order by field, topic_id, outcome_event_name
