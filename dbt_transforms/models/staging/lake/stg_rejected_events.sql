select
    source_file,
    content_sha256,
    line_number,
    reason_code,
    reason,
    raw_text,
    is_mended
from {{ source('lake', 'rejected_events') }}
