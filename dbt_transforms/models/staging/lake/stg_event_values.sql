select
    event_id,
    field,
    json_type,
    value,
    number
from {{ source('lake', 'event_values') }}
