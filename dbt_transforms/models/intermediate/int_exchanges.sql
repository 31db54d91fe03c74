select
    exchanges.*,
    events.is_time_ahead,
    {{ week_start_date('exchanges.prompt_at') }} as week_start_date
from {{ ref('stg_exchanges') }} as exchanges
inner join {{ ref('stg_events') }} as events on events.event_id = exchanges.prompt_event_id
