{#
    The lower and the upper end of the 95 % score interval of a share, count / total, for totals above 0. Wilson (1927):
    Probable inference, the law of succession, and statistical inference. Journal of the American Statistical
    Association 22, 209-212. With p = count / total and s = 1.96² / total, the ends are
    (p + s / 2 ± sqrt(s (p (1 - p) + s / 4))) / (1 + s). Rounding never puts an end on the wrong side of the share.
#}
{% macro wilson_low(count, total) -%}
    least({{ wilson_end(count, total, '-') }}, {{ count }} / {{ total }})
{%- endmacro %}

{% macro wilson_high(count, total) -%}
    greatest({{ wilson_end(count, total, '+') }}, {{ count }} / {{ total }})
{%- endmacro %}

{% macro wilson_end(count, total, sign) -%}
    {%- set share = '(' ~ count ~ ' / ' ~ total ~ ')' -%}
    {%- set square = '(1.959963984540054e0 * 1.959963984540054e0 / ' ~ total ~ ')' -%}
    (
        ({{ share }} + {{ square }} / 2)
        {{ sign }} sqrt({{ square }} * ({{ share }} * (1 - {{ share }}) + {{ square }} / 4))
    ) / (1 + {{ square }})
{%- endmacro %}
