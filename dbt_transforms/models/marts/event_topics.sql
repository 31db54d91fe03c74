select
    event_id,
    field,
    topic_id,
    outcome,
    similarity,
    runner_up_topic_id,
    runner_up_similarity,
    continues_topic_id
from {{ ref('int_event_topics') }}
order by field, event_id
