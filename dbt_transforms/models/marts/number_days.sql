select
    event_values.field,
    events.event_date,
    count(*) as value_count,
    -- summed in a fixed order: otherwise the last digit would depend on the order in which threads finish
    sum(event_values.number order by event_values.number) / count(*) as value_mean,
    quantile_cont(event_values.number, 0.5) as value_p50,
    quantile_cont(event_values.number, 0.95) as value_p95
from {{ ref('int_event_values') }} as event_values
inner join {{ ref('stg_events') }} as events using (event_id)
where event_values.field_type = 'number' and isfinite(event_values.number)
group by all
order by event_values.field, events.event_date
