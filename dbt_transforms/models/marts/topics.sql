with

topic_events as (
    select
        event_topics.topic_id,
        event_topics.text_id,
        event_topics.similarity,
        events.session_id,
        events.user_id,
        events.event_at
    from {{ ref('int_event_topics') }} as event_topics
    inner join {{ ref('stg_events') }} as events using (event_id)
    where event_topics.topic_id is not null
),

sizes as (
    select
        topic_id,
        count(distinct text_id) as text_count,
        count(*) as event_count,
        count(distinct session_id) as session_count,
        count(distinct user_id) as user_count,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at
    from topic_events
    group by topic_id
),

fits as (
    -- summed in a fixed order: otherwise the last digit would depend on the order in which threads finish
    select topic_id, sum(similarity order by similarity) / count(*) as mean_similarity
    from (select distinct topic_id, text_id, similarity from topic_events)
    group by topic_id
),

field_events as (
    select field, count(*) as field_event_count
    from {{ ref('int_event_topics') }}
    group by field
)

select
    definitions.topic_id,
    definitions.field,
    definitions.label,
    definitions.label_source,
    definitions.description,
    definitions.keywords,
    definitions.example_texts,
    definitions.theme_id,
    definitions.theme_label,
    definitions.status,
    definitions.is_locked,
    definitions.role,
    definitions.role_reason,
    definitions.merged_into_topic_id,
    definitions.cohesion,
    definitions.separation,
    definitions.nearest_topic_id,
    definitions.map_x,
    definitions.map_y,
    coalesce(sizes.text_count, 0) as text_count,
    coalesce(sizes.event_count, 0) as event_count,
    coalesce(sizes.session_count, 0) as session_count,
    coalesce(sizes.user_count, 0) as user_count,
    coalesce(sizes.event_count / field_events.field_event_count, 0) as event_share,
    fits.mean_similarity,
    sizes.first_event_at,
    sizes.last_event_at,
    trends.growth,
    trends.is_emerging,
    trends.q_value as emerging_q_value
from {{ ref('stg_topic_definitions') }} as definitions
left join sizes using (topic_id)
left join fits using (topic_id)
left join {{ ref('stg_topic_trends') }} as trends using (topic_id)
left join field_events on definitions.field = field_events.field
order by definitions.field, event_count desc, definitions.topic_id
