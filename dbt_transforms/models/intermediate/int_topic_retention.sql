with

uses as (
    select distinct
        field,
        subject_topic_id as topic_id,
        user_id,
        week_start_date
    from {{ ref('int_exchanges') }}
    where
        subject_topic_id is not null
        and user_id is not null
        and not is_time_ahead
        and week_start_date in (select week_start_date from {{ ref('int_weeks') }})
),

members as (
    select
        field,
        topic_id,
        user_id,
        min(week_start_date) as cohort_week_date
    from uses
    group by all
),

cohorts as (
    select
        field,
        topic_id,
        cohort_week_date,
        count(*) as cohort_count
    from members
    group by all
),

returns as (
    select
        members.topic_id,
        members.cohort_week_date,
        activity.week_start_date,
        count(*) as returned_count,
        count(uses.user_id) as returned_to_topic_count
    from members
    inner join {{ ref('int_user_activity') }} as activity using (user_id)
    left join uses using (topic_id, user_id, week_start_date)
    where activity.week_start_date > members.cohort_week_date
    group by all
),

complete_weeks as (
    select week_start_date
    from {{ ref('int_weeks') }}
    where not is_partial
)

select
    cohorts.field,
    cohorts.topic_id,
    cohorts.cohort_week_date,
    (complete_weeks.week_start_date - cohorts.cohort_week_date) // 7 as weeks_since,
    cohorts.cohort_count,
    coalesce(returns.returned_count, 0) as returned_count,
    coalesce(returns.returned_to_topic_count, 0) as returned_to_topic_count
from cohorts
inner join complete_weeks on complete_weeks.week_start_date > cohorts.cohort_week_date
left join returns using (topic_id, cohort_week_date, week_start_date)
where cohorts.cohort_week_date in (select week_start_date from complete_weeks)
