select * from {{ source('lake', 'topic_lineage') }}
