select *
from {{ ref('int_events') }}
order by event_at, source_file, line_number, item_number
