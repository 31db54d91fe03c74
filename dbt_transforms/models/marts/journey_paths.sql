select *
from {{ ref('stg_journey_paths') }}
order by dimension, is_whole_session, step_count, path
