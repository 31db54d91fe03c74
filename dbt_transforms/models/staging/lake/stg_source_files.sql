select
    source_file,
    content_sha256,
    source_format,
    row_count,
    accepted_count,
    duplicate_count,
    rejected_count,
    repaired_count,
    id_assumed_count,
    time_assumed_count,
    zone_assumed_count,
    textless_exchange_count,
    late_count,
    first_event_at,
    last_event_at,
    ingested_at
from {{ source('lake', 'source_files') }}
