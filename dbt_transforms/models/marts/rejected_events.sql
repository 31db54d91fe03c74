select *
from {{ ref('stg_rejected_events') }}
order by source_file, line_number
