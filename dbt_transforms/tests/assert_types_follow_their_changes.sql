{{ config(meta={'dagster': {'ref': {'name': 'field_type_changes'}}}) }}

with

changes as (
    select
        *,
        lag(type) over (partition by field order by change_number) as type_before,
        lead(type) over (partition by field order by change_number) as type_after
    from {{ ref('field_type_changes') }}
)

select fields.field, fields.type, changes.change_number, changes.previous_type
from {{ ref('fields') }} as fields
left join changes using (field)
where
    changes.field is null
    or changes.previous_type is distinct from changes.type_before
    or (changes.type_after is null and changes.type != fields.type)
