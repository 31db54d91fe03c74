{{ config(meta={'dagster': {'ref': {'name': 'topic_signals'}}}) }}

{% set signals = [
    'rephrased', 'corrected', 'declined', 'unanswered', 'abandoned', 'repeated_later', 'badly_rated', 'struggle',
    'resolved'
] %}

with

exchanges as (
    select subject_topic_id as topic_id, signals.*
    from {{ ref('exchanges') }} as exchanges
    inner join {{ ref('exchange_signals') }} as signals using (exchange_id)
),

counted as (
    {% for signal in signals %}
    select
        topic_id,
        '{{ signal }}' as signal,
        count(is_{{ signal }}) as exchange_count,
        count(*) filter (is_{{ signal }}) as signal_count
    from exchanges
    group by topic_id
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select topic_signals.*, counted.exchange_count as counted_exchange_count, counted.signal_count as counted_signal_count
from {{ ref('topic_signals') }} as topic_signals
left join counted using (topic_id, signal)
where
    (
        week_start_date is null
        and segment_field is null
        and (
            topic_signals.exchange_count is distinct from counted.exchange_count
            or topic_signals.signal_count is distinct from counted.signal_count
        )
    )
    or topic_signals.exchange_count > counted.exchange_count
    or abs(signal_share - topic_signals.signal_count / topic_signals.exchange_count) > 1e-9
    or abs(difference - (signal_share - base_share)) > 1e-9
