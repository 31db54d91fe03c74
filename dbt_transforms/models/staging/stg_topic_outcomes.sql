select * from {{ source('lake', 'topic_outcomes') }}
