{# The first day of the week of a moment, by the settings time_zone and week_start. #}
{% macro week_start_date(moment) -%}
    {{ week_start_of(local_date(moment)) }}
{%- endmacro %}

{# The first day of the week of a day, by the setting week_start. #}
{% macro week_start_of(day) -%}
    (
        date_trunc('week', {{ day }} - to_days(getvariable('first_weekday')::int))
        + to_days(getvariable('first_weekday')::int)
    )::date
{%- endmacro %}
