select
    role,
    event_name,
    field,
    event_count,
    reason
from {{ source('lake', 'exchange_roles') }}
