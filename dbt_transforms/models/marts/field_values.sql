select
    field,
    value,
    count(*) as event_count,
    count(distinct session_id) as session_count,
    count(distinct user_id) as user_count,
    count(*) / sum(count(*)) over (partition by field) as event_share
from {{ ref('int_event_values') }}
where field_type = 'enum' and trim(value) != ''
group by field, value
order by field, event_count desc, value
