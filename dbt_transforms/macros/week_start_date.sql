{# The first day of the week of a moment, by the settings time_zone and week_start. #}
{% macro week_start_date(moment) -%}
    (
        date_trunc('week', timezone(getvariable('time_zone'), {{ moment }}) - to_days(getvariable('first_weekday')::int))
        + to_days(getvariable('first_weekday')::int)
    )::date
{%- endmacro %}
