-- Metadata are large, so the lake keeps them once: in the parts that landing files were read into.
select
    events.* exclude (event_date),
    parts.metadata
from {{ ref('stg_events') }} as events
left join {{ ref('stg_event_parts') }} as parts using (content_sha256, line_number, item_number)
