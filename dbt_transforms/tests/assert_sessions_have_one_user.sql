{{ config(meta={'dagster': {'ref': {'name': 'sessions'}}}) }}

select session_id, count(*) as event_count, min(events.user_id) as first_user_id, max(events.user_id) as last_user_id
from {{ ref('sessions') }} as sessions
join {{ ref('events') }} as events using (session_id)
where events.user_id is distinct from sessions.user_id
group by session_id
