select
    run_id,
    changed_at,
    field,
    topic_id,
    change,
    other_topic_id,
    overlap_share
from {{ source('lake', 'topic_lineage') }}
