select
    dimension,
    session_id,
    user_id,
    step_number,
    node_id,
    started_at,
    ended_at,
    event_count,
    seconds_to_next
from {{ ref('stg_journey_steps') }}
order by dimension, session_id, step_number
