select
    event_values.event_id,
    event_values.field,
    fields.type as field_type,
    event_values.value,
    event_values.number,
    events.session_id,
    events.user_id,
    events.event_date
from {{ ref('stg_event_values') }} as event_values
inner join {{ ref('stg_fields') }} as fields using (field)
inner join {{ ref('stg_events') }} as events using (event_id)
