select
    field,
    text_id,
    topic_id,
    similarity,
    runner_up_topic_id,
    runner_up_similarity,
    found_topic_id,
    embedding_model
from {{ source('lake', 'text_topics') }}
