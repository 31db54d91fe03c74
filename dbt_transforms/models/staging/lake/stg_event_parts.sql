select
    parse_path(filename)[-2] as content_sha256,
    line_number,
    item_number,
    metadata
from {{ source('lake', 'event_parts') }}
