{{ config(meta={'dagster': {'ref': {'name': 'topic_retention'}}}) }}

with

cohorts as (
    select distinct topic_id, cohort_week_date, cohort_count
    from {{ ref('topic_retention') }}
),

users as (
    select subject_topic_id as topic_id, count(distinct user_id) as user_count
    from {{ ref('exchanges') }}
    group by all
)

select topic_id, null as cohort_week_date, sum(cohort_count) as cohort_count, user_count as limit_count
from cohorts
left join users using (topic_id)
group by topic_id, user_count
having sum(cohort_count) > coalesce(user_count, 0)
union all
select topic_id, cohort_week_date, cohort_count, returned_count
from {{ ref('topic_retention') }}
where
    returned_count > cohort_count
    or returned_to_topic_count > returned_count
    or abs(returned_share - returned_count / cohort_count) > 1e-9
    or share_low > returned_share
    or share_high < returned_share
