{{ config(meta={'dagster': {'ref': {'name': 'exchanges'}}}) }}

select exchanges.*
from {{ ref('exchanges') }} as exchanges
inner join {{ ref('events') }} as answers on answers.event_id = exchanges.answer_event_id
where
    answers.session_id != exchanges.session_id
    or answers.event_at < exchanges.prompt_at
    or exchanges.seconds_to_answer < 0
