select *
from {{ ref('stg_journey_steps') }}
order by dimension, sequence_id, step_number
