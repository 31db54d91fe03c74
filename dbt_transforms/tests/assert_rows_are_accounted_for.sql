-- Every row of every file is kept, known already or refused: nothing is lost without a trace.
-- A file that breaks this has lost rows, or shows some twice.
{{ config(meta={'dagster': {'ref': {'name': 'source_files'}}}) }}

with

refused as (
    select content_sha256, count(*) as row_count
    from {{ ref('rejected_events') }}
    group by content_sha256
)

select source_files.*
from {{ ref('source_files') }} as source_files
left join refused using (content_sha256)
where
    source_files.row_count != accepted_count + duplicate_count + rejected_count
    or rejected_count != coalesce(refused.row_count, 0)
