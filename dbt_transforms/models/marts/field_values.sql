with

enum_values as (
    select * from {{ ref('stg_event_values') }}
    where field_type = 'enum' and trim(value) != ''
)

select
    enum_values.field,
    enum_values.value,
    count(*) as event_count,
    count(distinct events.session_id) as session_count,
    count(distinct events.user_id) as user_count,
    count(*) / sum(count(*)) over (partition by enum_values.field) as event_share
from enum_values
inner join {{ ref('stg_events') }} as events using (event_id)
group by all
order by enum_values.field, event_count desc, enum_values.value
