select *
from {{ ref('stg_journey_loops') }}
order by dimension, node_id, other_node_id
