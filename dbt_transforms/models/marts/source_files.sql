select *
from {{ ref('stg_source_files') }}
order by source_file
