with

activity as (
    select
        user_id,
        week_start_date,
        week_start_date = min(week_start_date) over (partition by user_id) as is_new
    from {{ ref('int_user_activity') }}
)

select
    weeks.week_start_date,
    weeks.is_partial,
    activity.user_id,
    activity.is_new
from {{ ref('int_weeks') }} as weeks
left join activity using (week_start_date)
