select * from {{ source('lake', 'topic_segments') }}
