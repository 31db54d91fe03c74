{{ config(meta={'dagster': {'ref': {'name': 'topic_outcomes'}}}) }}

select topic_outcomes.*, nodes.session_count as node_session_count
from {{ ref('topic_outcomes') }} as topic_outcomes
left join {{ ref('journey_nodes') }} as nodes on nodes.dimension = field and nodes.node_id = topic_id
where
    topic_outcomes.session_count is distinct from nodes.session_count
    or abs(outcome_share - outcome_session_count / topic_outcomes.session_count) > 1e-9
    or abs(difference - (outcome_share - baseline_share)) > 1e-9
