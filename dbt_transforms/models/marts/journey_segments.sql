select *
from {{ ref('stg_journey_segments') }}
order by dimension, from_node_id, to_node_id, segment_field, segment_value
