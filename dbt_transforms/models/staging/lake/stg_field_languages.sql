select
    field,
    language,
    text_count,
    event_count,
    event_share,
    embedding_model,
    reading,
    assigned_share
from {{ source('lake', 'field_languages') }}
