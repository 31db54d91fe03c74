select * from {{ source('lake', 'field_type_changes') }}
