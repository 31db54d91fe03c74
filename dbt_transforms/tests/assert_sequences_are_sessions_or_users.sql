{{ config(meta={'dagster': {'ref': {'name': 'journey_steps'}}}) }}

select dimension, sequence_id, session_id, user_id
from {{ ref('journey_steps') }}
where
    (session_id is null) != starts_with(dimension, 'user:')
    or sequence_id != coalesce(session_id, user_id)
