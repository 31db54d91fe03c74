select *
from {{ ref('stg_journey_struggles') }}
order by dimension, from_node_id, to_node_id
