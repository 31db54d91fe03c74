-- Metadata are large, so the lake keeps them once: in the parts that landing files were read into.
select
    events.event_id,
    events.event_name,
    events.session_id,
    events.user_id,
    events.event_at,
    events.received_at,
    events.source_format,
    events.source_file,
    events.content_sha256,
    events.line_number,
    events.item_number,
    events.is_session_derived,
    events.is_time_assumed,
    events.is_zone_assumed,
    events.is_time_ahead,
    parts.metadata
from {{ ref('stg_events') }} as events
left join {{ ref('stg_event_parts') }} as parts using (content_sha256, line_number, item_number)
order by event_at, source_file, line_number, item_number
