select
    field,
    topic_id,
    week_start_date,
    is_partial,
    count(*) filter (not is_exchange) as event_count,
    count(*) filter (is_exchange) as exchange_count,
    count(distinct session_id) as session_count,
    count(distinct user_id) as user_count,
    count(*) filter (is_exchange)
    / nullif(sum(count(*) filter (is_exchange)) over (partition by field, week_start_date), 0) as exchange_share
from {{ ref('int_topic_weeks') }}
group by field, topic_id, week_start_date, is_partial
qualify topic_id is not null
order by field, topic_id, week_start_date
