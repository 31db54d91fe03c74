-- Metadata are large, so the lake keeps them once: in the parts that landing files were read into.
with parts as (
    select
        parse_path(filename)[-2] as content_sha256,
        line_number,
        item_number,
        metadata
    from read_parquet(
        '{{ env_var("DBT_LAKE_DIR", "../data/lake") }}/parts/*/events-*.parquet', filename = true
    )
)

select
    events.event_id,
    events.event_name,
    events.session_id,
    events.user_id,
    events.event_at,
    events.received_at,
    events.source_format,
    events.source_file,
    events.content_sha256,
    events.line_number,
    events.item_number,
    events.is_session_derived,
    events.is_time_assumed,
    events.is_zone_assumed,
    events.is_time_ahead,
    parts.metadata
from {{ ref('stg_events') }} as events
left join parts using (content_sha256, line_number, item_number)
order by event_at, source_file, line_number, item_number
