{# The day of a moment, by the setting time_zone. #}
{% macro local_date(moment) -%}
    timezone(getvariable('time_zone'), {{ moment }})::date
{%- endmacro %}
