select
    field,
    event_date,
    count(*) as value_count,
    -- summed in a fixed order: otherwise the last digit would depend on the order in which threads finish
    sum(number order by number) / count(*) as value_mean,
    quantile_cont(number, 0.5) as value_p50,
    quantile_cont(number, 0.95) as value_p95
from {{ ref('int_event_values') }}
where field_type = 'number' and isfinite(number)
group by all
order by field, event_date
