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
from {{ ref('stg_field_type_changes') }}
order by field, change_number
