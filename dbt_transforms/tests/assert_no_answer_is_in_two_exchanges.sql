{{ config(meta={'dagster': {'ref': {'name': 'exchanges'}}}) }}

select
    answer_event_id,
    count(*) as exchange_count
from {{ ref('exchanges') }}
where answer_event_id is not null
group by answer_event_id
having count(*) > 1
