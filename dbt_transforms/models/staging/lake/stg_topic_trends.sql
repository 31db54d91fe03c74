select
    topic_id,
    field,
    recent_event_count,
    before_event_count,
    recent_share,
    before_share,
    growth,
    is_emerging,
    p_value,
    q_value
from {{ source('lake', 'topic_trends') }}
