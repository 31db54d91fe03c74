select
    first_date,
    last_date
from {{ source('lake', 'data_days') }}
