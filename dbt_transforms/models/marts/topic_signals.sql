select *
from {{ ref('stg_topic_signals') }}
order by field, topic_id, signal, week_start_date, segment_field, segment_value
