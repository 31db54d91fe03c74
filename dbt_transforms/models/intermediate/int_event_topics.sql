-- Equal texts have the same topic in all events.
select
    event_texts.event_id,
    event_texts.field,
    text_topics.topic_id,
    case
        when event_texts.text_id is null then 'empty'
        when continuations.continues_topic_id is not null then 'continuation'
        when text_topics.topic_id is null and text_topics.embedding_model is null then 'unreadable'
        when text_topics.topic_id is null then 'outlier'
        else 'assigned'
    end as outcome,
    text_topics.similarity,
    text_topics.runner_up_topic_id,
    text_topics.runner_up_similarity,
    continuations.continues_topic_id,
    event_texts.text_id,
    events.session_id,
    events.user_id,
    events.event_at,
    events.is_time_ahead,
    events.event_date
from {{ ref('stg_event_texts') }} as event_texts
left join {{ ref('stg_text_topics') }} as text_topics using (field, text_id)
left join {{ ref('stg_continuations') }} as continuations using (event_id, field)
left join {{ ref('stg_events') }} as events using (event_id)
