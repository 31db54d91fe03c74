select
    session_id,
    any_value(user_id) as user_id,
    min(event_at) as started_at,
    max(event_at) as ended_at,
    epoch(max(event_at) - min(event_at)) as duration_seconds,
    count(*) as event_count,
    bool_or(is_session_derived) as is_derived
from {{ ref('stg_events') }}
group by session_id
order by started_at, session_id
