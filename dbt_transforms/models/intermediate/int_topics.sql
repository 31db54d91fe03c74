with

sizes as (
    select
        topic_id,
        count(distinct text_id) as text_count,
        count(*) as event_count,
        count(distinct session_id) as session_count,
        count(distinct user_id) as user_count,
        count(*) / sum(count(*)) over (partition by field) as event_share,
        min(event_at) as first_event_at,
        max(event_at) filter (not is_time_ahead) as last_event_at
    from {{ ref('int_event_topics') }}
    group by field, topic_id
),

fits as (
    -- summed in a fixed order: otherwise the last digit would depend on the order in which threads finish
    select topic_id, sum(similarity order by similarity) / count(*) as mean_similarity
    from (select distinct topic_id, text_id, similarity from {{ ref('int_event_topics') }})
    group by topic_id
),

exchanges as (
    select
        subject_topic_id as topic_id,
        count(*) as exchange_count,
        count(*) / sum(count(*)) over (partition by field) as exchange_share
    from {{ ref('stg_exchanges') }}
    group by field, subject_topic_id
),

users as (
    select
        topic_id,
        case user_count
            when 0 then 'Since '
            when 1 then '1 user since '
            else format('{:,} users since ', user_count)
        end || strftime(first_event_at, '%Y-%m-%d') || '.' as sentence
    from sizes
)

select
    definitions.* exclude (found_label, found_label_source, split_edit_id)
        replace (concat_ws(' ', definitions.description, users.sentence) as description),
    coalesce(sizes.text_count, 0) as text_count,
    coalesce(sizes.event_count, 0) as event_count,
    coalesce(sizes.session_count, 0) as session_count,
    coalesce(sizes.user_count, 0) as user_count,
    coalesce(sizes.event_share, 0) as event_share,
    coalesce(exchanges.exchange_count, 0) as exchange_count,
    coalesce(exchanges.exchange_share, 0) as exchange_share,
    fits.mean_similarity,
    sizes.first_event_at,
    sizes.last_event_at,
    trends.growth,
    trends.is_emerging,
    trends.q_value as emerging_q_value
from {{ ref('stg_topic_definitions') }} as definitions
left join sizes using (topic_id)
left join exchanges using (topic_id)
left join users using (topic_id)
left join fits using (topic_id)
left join {{ ref('stg_topic_trends') }} as trends using (topic_id)
