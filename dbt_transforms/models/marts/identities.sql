select *
from {{ ref('stg_identities') }}
order by sent_id, user_id
