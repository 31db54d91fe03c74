select * from {{ source('lake', 'topic_runs') }}
