select
    field,
    topic_id,
    outcome_event_name,
    session_count,
    outcome_session_count,
    outcome_share,
    baseline_share,
    difference,
    difference_low,
    difference_high,
    q_value
from {{ source('lake', 'topic_outcomes') }}
