select
    run_id,
    changed_at,
    field,
    topic_id,
    change,
    other_topic_id,
    overlap_share
from {{ ref('stg_topic_lineage') }}
order by changed_at, field, topic_id, change
