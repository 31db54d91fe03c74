select
    dimension,
    from_node_id,
    to_node_id,
    segment_field,
    segment_value,
    transition_count,
    leaving_count,
    other_leaving_count,
    probability_in_segment,
    probability_elsewhere,
    difference,
    difference_low,
    difference_high,
    q_value
from {{ source('lake', 'journey_segments') }}
