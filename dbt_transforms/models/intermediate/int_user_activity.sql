select distinct
    user_id,
    {{ week_start_date('event_at') }} as week_start_date
from {{ ref('stg_events') }}
where
    user_id is not null
    and not is_time_ahead
    and {{ week_start_date('event_at') }} in (select week_start_date from {{ ref('int_weeks') }})
