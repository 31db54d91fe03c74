select *
from {{ ref('stg_scrubbed_values') }}
order by source_file, field, kind
