{{ config(meta={'dagster': {'ref': {'name': 'journey_steps'}}}) }}

with

numbered as (
    select
        *,
        row_number() over (partition by dimension, sequence_id order by step_number) as position,
        lag(node_id) over (partition by dimension, sequence_id order by step_number) as node_before
    from {{ ref('journey_steps') }}
)

select * from numbered
where step_number != position or node_id = node_before
