select
    source_file,
    content_sha256,
    field,
    kind,
    value_count
from {{ source('lake', 'scrubbed_values') }}
