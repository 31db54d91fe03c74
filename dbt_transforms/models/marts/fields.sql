select *
from {{ ref('stg_fields') }}
order by field
