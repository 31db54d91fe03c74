{# The first day of the week of a moment, by the settings time_zone and week_start. #}
{% macro week_start_date(moment) -%}
    (
        date_trunc('week', {{ local_date(moment) }} - to_days(getvariable('first_weekday')::int))
        + to_days(getvariable('first_weekday')::int)
    )::date
{%- endmacro %}
