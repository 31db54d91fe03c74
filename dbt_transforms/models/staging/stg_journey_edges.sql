select * from {{ source('lake', 'journey_edges') }}
