select
    dimension,
    sequence_id,
    session_id,
    user_id,
    step_number,
    node_id,
    started_at,
    ended_at,
    event_count,
    seconds_to_next
from {{ ref('stg_journey_steps') }}
order by dimension, sequence_id, step_number
