select * from {{ source('lake', 'rejected_events') }}
