select
    dimension,
    from_node_id,
    to_node_id,
    move_count,
    struggle_count,
    struggle_share,
    other_struggle_share,
    difference,
    difference_low,
    difference_high,
    q_value
from {{ source('lake', 'journey_struggles') }}
