select * from {{ source('lake', 'journey_steps') }}
