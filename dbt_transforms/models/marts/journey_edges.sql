select *
from {{ ref('stg_journey_edges') }}
order by dimension, from_node_id, to_node_id
