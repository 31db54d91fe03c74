select *
from {{ ref('stg_topic_segments') }}
order by field, topic_id, segment_field, segment_value
