select
    exchange_id,
    field,
    side,
    number_value,
    text_value
from {{ source('lake', 'exchange_values') }}
