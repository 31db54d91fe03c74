select
    dimension,
    node_id,
    node_label,
    event_count,
    session_count,
    start_count,
    start_share,
    start_share_low,
    start_share_high,
    end_count,
    end_share,
    end_share_low,
    end_share_high,
    drop_off_share,
    other_drop_off_share,
    drop_off_q_value,
    repeat_share,
    pagerank,
    betweenness
from {{ ref('stg_journey_nodes') }}
order by dimension, node_id
