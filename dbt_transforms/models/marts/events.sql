select *
from {{ ref('int_events') }}
order by event_at, nanosecond, source_file, line_number, item_number
