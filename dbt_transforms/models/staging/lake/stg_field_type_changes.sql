select
    field,
    change_number,
    run_id,
    changed_at,
    previous_type,
    type,
    cause,
    reason,
    event_count
from {{ source('lake', 'field_type_changes') }}
