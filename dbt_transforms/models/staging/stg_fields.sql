select * from {{ source('lake', 'fields') }}
