select
    event_values.event_id,
    event_values.field,
    fields.type as field_type,
    event_values.value,
    event_values.number
from {{ ref('stg_event_values') }} as event_values
inner join {{ ref('stg_fields') }} as fields using (field)
