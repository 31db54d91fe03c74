select
    field,
    topic_id,
    signal,
    week_start_date,
    segment_field,
    segment_value,
    exchange_count,
    signal_count,
    signal_share,
    share_low,
    share_high,
    base_share,
    difference,
    difference_low,
    difference_high,
    q_value
from {{ source('lake', 'topic_signals') }}
