select * from {{ source('lake', 'topic_definitions') }}
