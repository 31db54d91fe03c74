select
    event_values.event_id,
    event_values.field,
    fields.type as field_type,
    event_values.value,
    event_values.number,
    events.session_id,
    events.user_id,
    events.event_date,
    events.event_at,
    events.nanosecond,
    events.source_file,
    events.line_number,
    events.item_number
from {{ ref('stg_event_values') }} as event_values
inner join {{ ref('stg_fields') }} as fields using (field)
inner join {{ ref('stg_events') }} as events using (event_id)
