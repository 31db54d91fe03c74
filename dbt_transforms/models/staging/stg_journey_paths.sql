select * from {{ source('lake', 'journey_paths') }}
