select
    field,
    topic_id,
    segment_field,
    segment_value,
    event_count,
    session_count,
    share_in_segment,
    share_elsewhere,
    difference,
    difference_low,
    difference_high,
    q_value
from {{ source('lake', 'topic_segments') }}
