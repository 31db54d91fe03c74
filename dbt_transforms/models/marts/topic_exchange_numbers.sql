select
    field,
    topic_id,
    number_field,
    side,
    count(*) as value_count,
    -- summed in a fixed order: otherwise the last digit would depend on the order in which threads finish
    sum(number order by number) as value_sum,
    sum(number order by number) / count(*) as value_mean,
    quantile_cont(number, 0.5) as value_p50,
    quantile_cont(number, 0.95) as value_p95
from {{ ref('int_topic_exchange_numbers') }}
group by all
order by field, topic_id, number_field, side
