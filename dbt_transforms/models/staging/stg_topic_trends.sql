select * from {{ source('lake', 'topic_trends') }}
