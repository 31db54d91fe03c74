{{ config(meta={'dagster': {'ref': {'name': 'journey_struggles'}}}) }}

select struggles.*, edges.transition_count
from {{ ref('journey_struggles') }} as struggles
left join {{ ref('journey_edges') }} as edges using (dimension, from_node_id, to_node_id)
where
    edges.transition_count is null
    or move_count > edges.transition_count
    or abs(struggle_share - struggle_count / move_count) > 1e-9
    or abs(difference - (struggle_share - other_struggle_share)) > 1e-9
