select
    week_start_date,
    is_partial,
    count(user_id) as active_count,
    count(*) filter (is_new) as new_count,
    count(*) filter (not is_new) as returning_count
from {{ ref('int_user_weeks') }}
group by all
order by week_start_date
