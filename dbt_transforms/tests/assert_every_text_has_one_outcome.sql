{{ config(meta={'dagster': {'ref': {'name': 'event_topics'}}}) }}

with

counted as (
    select field, count(*) as row_count
    from {{ ref('event_topics') }}
    group by field
)

select fields.field, fields.event_count, counted.row_count
from {{ ref('fields') }} as fields
full join counted using (field)
where
    coalesce(fields.type, 'text') = 'text'
    and fields.event_count is distinct from counted.row_count
