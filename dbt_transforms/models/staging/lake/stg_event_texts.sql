select
    event_id,
    field,
    text_id
from {{ source('lake', 'event_texts') }}
