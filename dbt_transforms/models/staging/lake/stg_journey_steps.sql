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
from {{ source('lake', 'journey_steps') }}
