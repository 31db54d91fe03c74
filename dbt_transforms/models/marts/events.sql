select
    event_id,
    event_name,
    session_id,
    user_id,
    event_at,
    received_at,
    source_format,
    source_file,
    line_number,
    item_number,
    metadata,
    is_session_derived
from {{ ref('stg_events') }}
order by event_at, source_file, line_number, item_number
