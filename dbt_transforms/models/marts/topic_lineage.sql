select *
from {{ ref('stg_topic_lineage') }}
order by changed_at, field, topic_id, change
