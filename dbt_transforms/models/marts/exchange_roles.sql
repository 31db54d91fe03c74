select *
from {{ ref('stg_exchange_roles') }}
order by role desc, event_count desc, event_name, field
