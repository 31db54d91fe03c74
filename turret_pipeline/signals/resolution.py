"""SQL of the exchanges that declared outcomes resolve.

An outcome resolves the exchanges before it, back to the last change of topic in its session: ``visits`` are the
stretches of a session about one topic. The view ``resolving_events`` has the names of the events (event_name).
"""

from turret_pipeline.tables.exchanges import OPEN

RESOLUTIONS = f"""
with outcomes as (
    select session_id, event_name, event_at as outcome_at
    from lake_events semi join resolving_events using (event_name)
),
visits as (
    select session_id, subject_number, bool_or(ending = '{OPEN}') as is_open,
        lead(min(prompt_at)) over (partition by session_id order by subject_number nulls first) as ended_at
    from lake_exchanges group by session_id, subject_number
),
followed as (
    select exchanges.*, outcome_at, event_name
    from (select exchange_id, session_id, subject_number, prompt_at from lake_exchanges) as exchanges
    asof left join outcomes
        on outcomes.session_id = exchanges.session_id and outcomes.outcome_at >= exchanges.prompt_at
)
select exchange_id,
    case when outcome_at < coalesce(ended_at, 'infinity') then true when not is_open then false end as is_resolved,
    case when outcome_at < coalesce(ended_at, 'infinity')
        then format('The event {{}} follows after {{:.0f}} s.', event_name, epoch(outcome_at - prompt_at))
        when is_open then 'The session may go on.' end as resolved_reason
from followed
join visits on visits.session_id = followed.session_id
    and visits.subject_number is not distinct from followed.subject_number
"""
