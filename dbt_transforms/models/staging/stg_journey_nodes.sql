select * from {{ source('lake', 'journey_nodes') }}
