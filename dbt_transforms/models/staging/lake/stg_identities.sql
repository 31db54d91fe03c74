select
    sent_id,
    id_kind,
    user_id,
    evidence,
    first_seen_at
from {{ source('lake', 'identities') }}
