select *
from {{ ref('stg_journey_nodes') }}
order by dimension, node_id
