select * from {{ source('lake', 'continuations') }}
