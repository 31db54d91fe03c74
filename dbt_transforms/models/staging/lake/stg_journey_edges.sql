select
    dimension,
    from_node_id,
    to_node_id,
    transition_count,
    session_count,
    user_count,
    probability,
    probability_low,
    probability_high,
    median_seconds,
    p95_seconds
from {{ source('lake', 'journey_edges') }}
