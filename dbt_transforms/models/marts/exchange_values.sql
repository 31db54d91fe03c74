select *
from {{ ref('stg_exchange_values') }}
order by field, side, exchange_id
