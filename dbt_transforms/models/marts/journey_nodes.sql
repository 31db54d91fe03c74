select
    dimension,
    node_id,
    node_label,
    event_count,
    session_count,
    start_count,
    start_share,
    end_count,
    end_share,
    repeat_share,
    pagerank,
    betweenness
from {{ ref('stg_journey_nodes') }}
order by dimension, node_id
