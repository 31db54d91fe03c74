select
    event_values.field,
    events.event_date,
    count(*) as value_count,
    -- fsum adds without rounding on the way: the mean does not depend on the order of the rows
    fsum(event_values.number) / count(*) as value_mean,
    quantile_cont(event_values.number, 0.5) as value_p50,
    quantile_cont(event_values.number, 0.95) as value_p95
from {{ ref('stg_event_values') }} as event_values
inner join {{ ref('stg_events') }} as events using (event_id)
where event_values.field_type = 'number' and isfinite(event_values.number)
group by all
order by event_values.field, events.event_date
