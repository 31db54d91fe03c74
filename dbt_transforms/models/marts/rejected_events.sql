select
    source_file,
    content_sha256,
    line_number,
    reason_code,
    reason,
    raw_text,
    is_mended
from {{ ref('stg_rejected_events') }}
order by source_file, line_number
