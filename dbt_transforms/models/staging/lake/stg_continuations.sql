select
    event_id,
    field,
    continues_topic_id
from {{ source('lake', 'continuations') }}
