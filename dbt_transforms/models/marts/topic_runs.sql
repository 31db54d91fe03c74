select
    run_id,
    run_number,
    started_at,
    field,
    text_count,
    topic_count,
    theme_count,
    coverage,
    stability,
    kept_share,
    born_count,
    split_count,
    merged_count,
    retired_count,
    revived_count,
    renamed_count,
    note,
    found_granularity,
    found_min_texts,
    found_floor
from {{ ref('stg_topic_runs') }}
order by run_number, field
