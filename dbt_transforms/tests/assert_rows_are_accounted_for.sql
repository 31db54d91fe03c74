{{ config(meta={'dagster': {'ref': {'name': 'source_files'}}}) }}

with

rejected as (
    select content_sha256, count(*) as row_count
    from {{ ref('rejected_events') }}
    group by content_sha256
)

select source_files.*
from {{ ref('source_files') }} as source_files
left join rejected using (content_sha256)
where
    source_files.row_count != accepted_count + duplicate_count + rejected_count + forgotten_count
    or superseded_count > duplicate_count
    or rejected_count != coalesce(rejected.row_count, 0)
