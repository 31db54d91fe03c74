with

occurrences as (
    select
        field,
        topic_id,
        session_id,
        user_id,
        false as is_exchange,
        {{ week_start_date('event_at') }} as week_start_date
    from {{ ref('int_event_topics') }}
    where topic_id is not null
    union all
    select
        field,
        subject_topic_id,
        session_id,
        user_id,
        true,
        week_start_date
    from {{ ref('int_exchanges') }}
)

select
    occurrences.*,
    weeks.is_partial
from occurrences
-- other weeks are those of wrong clocks
inner join {{ ref('int_weeks') }} as weeks using (week_start_date)
