-- Sorted by value, so that filters of sessions read few rows.
select
    session_id,
    field,
    arg_min(value, (event_at, nanosecond, source_file, line_number, item_number)) as value
from {{ ref('int_event_values') }}
where field_type = 'enum' and trim(value) != ''
group by session_id, field
order by field, value, session_id
