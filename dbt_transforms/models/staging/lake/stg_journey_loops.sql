select
    dimension,
    node_id,
    other_node_id,
    bounce_count,
    session_count,
    user_count,
    session_share
from {{ source('lake', 'journey_loops') }}
