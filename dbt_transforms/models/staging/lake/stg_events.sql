select
    event_id,
    event_name,
    session_id,
    user_id,
    event_at,
    received_at,
    nanosecond,
    source_format,
    source_file,
    content_sha256,
    line_number,
    item_number,
    is_session_derived,
    is_time_assumed,
    is_zone_assumed,
    is_time_ahead,
    event_at::date as event_date
from {{ source('lake', 'events') }}
