select *
from {{ ref('stg_exchanges') }}
order by prompt_at, exchange_id
