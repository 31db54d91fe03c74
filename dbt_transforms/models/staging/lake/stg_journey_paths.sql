select
    dimension,
    path,
    step_count,
    is_whole_session,
    session_count,
    user_count,
    session_share
from {{ source('lake', 'journey_paths') }}
