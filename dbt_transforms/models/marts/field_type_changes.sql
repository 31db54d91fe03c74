select *
from {{ ref('stg_field_type_changes') }}
order by field, change_number
