select
    field,
    type,
    detected_type,
    is_overridden,
    is_uncertain,
    reason,
    event_count,
    present_share,
    distinct_count,
    example_values,
    number_min,
    number_mean,
    number_max,
    first_seen_at,
    validated_event_count
from {{ source('lake', 'fields') }}
