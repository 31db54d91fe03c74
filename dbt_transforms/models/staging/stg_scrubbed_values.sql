select * from {{ source('lake', 'scrubbed_values') }}
