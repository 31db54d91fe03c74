select
    *,
    event_at::date as event_date
from {{ source('lake', 'events') }}
