{{ config(meta={'dagster': {'ref': {'name': 'exchanges'}}}) }}

with

prompts as (
    select distinct events.event_id
    from {{ ref('events') }} as events
    inner join {{ source('lake', 'event_values') }} as event_values using (event_id)
    inner join {{ ref('exchange_roles') }} as roles using (event_name, field)
    where roles.role = 'prompt'
)

select
    prompts.event_id,
    exchanges.exchange_id
from prompts
full join {{ ref('exchanges') }} as exchanges on exchanges.prompt_event_id = prompts.event_id
where prompts.event_id is null or exchanges.exchange_id is null
