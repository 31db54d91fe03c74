{{ config(meta={'dagster': {'ref': {'name': 'user_weeks'}}}) }}

with

weeks as (
    select *, week_start_date - lag(week_start_date) over (order by week_start_date) as days_since_last
    from {{ ref('user_weeks') }}
),

users as (
    select count(distinct user_id) as user_count
    from {{ ref('events') }}
    where
        not is_time_ahead
        and {{ week_start_date('event_at') }} in (select week_start_date from {{ ref('user_weeks') }})
)

select week_start_date, active_count, new_count, returning_count
from weeks
where new_count + returning_count != active_count or days_since_last != 7
union all
select null, user_count, sum(new_count), null
from {{ ref('user_weeks') }}, users
group by user_count
having user_count != coalesce(sum(new_count), 0)
