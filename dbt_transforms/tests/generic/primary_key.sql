{# Keys that are null in a column or repeated. #}
{% test primary_key(model, columns) %}
select
    {{ columns | join(',\n    ') }},
    count(*) as row_count
from {{ model }}
group by all
having
    count(*) > 1
    or {{ columns | join(' is null\n    or ') }} is null
{% endtest %}
