-- A wrong clock must not stretch the period.
with

weeks as (
    select
        first_date,
        last_date,
        unnest(
            generate_series({{ week_start_of('first_date') }}, {{ week_start_of('last_date') }}, interval 7 days)
        )::date as week_start_date
    from {{ ref('stg_data_days') }}
)

select
    week_start_date,
    first_date > week_start_date or last_date < week_start_date + 6 as is_partial
from weeks
