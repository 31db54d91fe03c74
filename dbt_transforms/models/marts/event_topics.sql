select * exclude (text_id, session_id, user_id, event_at, is_time_ahead, event_date)
from {{ ref('int_event_topics') }}
order by field, event_id
