select * from {{ source('lake', 'journey_segments') }}
