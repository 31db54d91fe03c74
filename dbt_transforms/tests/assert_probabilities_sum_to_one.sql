{{ config(meta={'dagster': {'ref': {'name': 'journey_edges'}}}) }}

select dimension, from_node_id, sum(probability) as probability
from {{ ref('journey_edges') }}
group by all
having abs(sum(probability) - 1) > 1e-9
