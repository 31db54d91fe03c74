{{ config(meta={'dagster': {'ref': {'name': 'topic_exchange_numbers'}}}) }}

with

exchanges as (
    select *
    from {{ ref('exchanges') }}
    where subject_topic_id is not null
),

numbers as (
    select field, number_field, 'exchange' as side, number
    from exchanges
    unpivot (
        number for number_field in (
            seconds_to_answer, input_tokens, output_tokens, cost_usd, latency_seconds, rating
        )
    )
    union all
    select exchanges.field, exchange_values.field, exchange_values.side, exchange_values.number_value
    from exchanges
    inner join {{ ref('exchange_values') }} as exchange_values using (exchange_id)
    where exchange_values.number_value is not null
),

expected as (
    select field, number_field, side, count(*) as value_count, sum(number) as value_sum, sum(abs(number)) as magnitude
    from numbers
    where isfinite(number)
    group by all
),

found as (
    select field, number_field, side, sum(value_count) as value_count, sum(value_sum) as value_sum
    from {{ ref('topic_exchange_numbers') }}
    group by all
)

select *
from expected
full join found using (field, number_field, side)
where
    expected.value_count is distinct from found.value_count
    -- numbers below 0 may cancel others: what is lost in adding them depends on all
    or abs(expected.value_sum - found.value_sum) > 1e-9 * greatest(expected.magnitude, 1)
