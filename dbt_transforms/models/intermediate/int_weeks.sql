-- A clock that is ahead must not stretch the period.
with

period as (
    select
        {{ local_date('min(event_at)') }} as first_date,
        {{ local_date('max(event_at)') }} as last_date,
        {{ week_start_date('min(event_at)') }} as first_week_date,
        {{ week_start_date('max(event_at)') }} as last_week_date
    from {{ ref('stg_events') }}
    where not is_time_ahead
),

weeks as (
    select
        first_date,
        last_date,
        unnest(generate_series(first_week_date, last_week_date, interval 7 days))::date as week_start_date
    from period
)

select
    week_start_date,
    first_date > week_start_date or last_date < week_start_date + 6 as is_partial
from weeks
