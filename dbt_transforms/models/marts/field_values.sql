with

counted as (
    select
        event_values.field,
        event_values.value,
        count(*) as event_count,
        count(distinct events.session_id) as session_count,
        count(distinct events.user_id) as user_count
    from {{ ref('int_event_values') }} as event_values
    inner join {{ ref('stg_events') }} as events using (event_id)
    where event_values.field_type = 'enum' and trim(event_values.value) != ''
    group by all
)

select
    *,
    event_count / sum(event_count) over (partition by field) as event_share
from counted
order by field, event_count desc, value
