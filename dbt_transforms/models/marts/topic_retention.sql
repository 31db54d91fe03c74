select
    field,
    topic_id,
    cohort_week_date,
    weeks_since,
    cohort_count,
    returned_count,
    returned_count / cohort_count as returned_share,
    {{ wilson_low('returned_count', 'cohort_count') }} as share_low,
    {{ wilson_high('returned_count', 'cohort_count') }} as share_high,
    returned_to_topic_count
from {{ ref('int_topic_retention') }}
order by field, topic_id, cohort_week_date, weeks_since
