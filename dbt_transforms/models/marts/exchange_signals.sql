select *
from {{ ref('stg_exchange_signals') }}
order by exchange_id
