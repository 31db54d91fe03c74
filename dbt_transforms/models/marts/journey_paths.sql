select
    dimension,
    path,
    step_count,
    is_whole_session,
    session_count,
    user_count,
    session_share
from {{ ref('stg_journey_paths') }}
order by dimension, is_whole_session, step_count, path
