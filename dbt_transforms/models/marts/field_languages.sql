select *
from {{ ref('stg_field_languages') }}
order by field, event_count desc, language
