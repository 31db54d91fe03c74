{{ config(meta={'dagster': {'ref': {'name': 'journey_steps'}}}) }}

select session_id as sequence_id, duration_seconds as seconds from {{ ref('sessions') }} where duration_seconds < 0
union all
select sequence_id, seconds_to_next from {{ ref('journey_steps') }} where seconds_to_next < 0
