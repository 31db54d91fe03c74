{{ config(meta={'dagster': {'ref': {'name': 'journey_edges'}}}) }}

with

shares as (
    select dimension, from_node_id as node_id, probability as share, probability_low as low, probability_high as high
    from {{ ref('journey_edges') }}
    union all
    select dimension, node_id, start_share, start_share_low, start_share_high from {{ ref('journey_nodes') }}
    union all
    select dimension, node_id, end_share, end_share_low, end_share_high from {{ ref('journey_nodes') }}
)

select dimension, node_id, share, low, high from shares
where share < low - 1e-9 or share > high + 1e-9
union all
select dimension, from_node_id, median_seconds, 0, p95_seconds from {{ ref('journey_edges') }}
where median_seconds < 0 or p95_seconds < median_seconds
