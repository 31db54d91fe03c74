with

about_topics as (
    select
        exchange_id,
        field,
        subject_topic_id as topic_id,
        seconds_to_answer,
        input_tokens,
        output_tokens,
        cost_usd,
        latency_seconds,
        rating
    from {{ ref('stg_exchanges') }}
    where subject_topic_id is not null
),

numbers as (
    select
        about_topics.field,
        about_topics.topic_id,
        exchange_values.field as number_field,
        exchange_values.side,
        exchange_values.number_value as number
    from about_topics
    inner join {{ ref('stg_exchange_values') }} as exchange_values using (exchange_id)
    union all
    select
        field,
        topic_id,
        number_field,
        'exchange',
        number
    from about_topics
    unpivot (
        number for number_field in (
            seconds_to_answer, input_tokens, output_tokens, cost_usd, latency_seconds, rating
        )
    )
)

select *
from numbers
-- null, too, is not finite: a field of type enum, or no value
where isfinite(number)
