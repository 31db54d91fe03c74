select * from {{ source('lake', 'journey_loops') }}
