select
    source_file,
    content_sha256,
    field,
    kind,
    value_count
from {{ ref('stg_scrubbed_values') }}
order by source_file, field, kind
