{# Keys that are repeated, or null in a column that is not nullable. Null is a value of its own. #}
{% test primary_key(model, columns, nullable=[]) %}
{% set required = columns | reject('in', nullable) | list %}
select
    {{ columns | join(',\n    ') }},
    count(*) as row_count
from {{ model }}
group by all
having
    count(*) > 1
    or {{ required | join(' is null\n    or ') }} is null
{% endtest %}
