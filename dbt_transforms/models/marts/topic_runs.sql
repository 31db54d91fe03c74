select *
from {{ ref('stg_topic_runs') }}
order by run_number, field
