"""SQL of the exchanges about topics: their signals, clusters, weeks and segments, by shard of the clusters.

A cluster is a user, or a session without one. A shard has all exchanges of its clusters.
"""

from collections.abc import Iterator, Sequence

MODEL = "model"
"""Segment field of the column of exchanges."""


def create_units(signals: Sequence[str]) -> Iterator[str]:
    """Statements that make the tables topics, units (exchanges about topics) and segments (their values).

    The parameters are shards, and time_zone and first_weekday of weeks. The week of a unit is null on days of wrong
    clocks (``data_days``). The model is a segment beside the enum fields.
    """
    flags = ", ".join(f"is_{signal}" for signal in signals)
    yield """
create table topics as
select row_number() over (order by field, topic_id) - 1 as topic, field, topic_id
from (select distinct field, subject_topic_id as topic_id from lake_exchanges where subject_topic_id is not null)
"""
    yield f"""
create table known_units as
with known as (
    select exchange_id, topic, model, user_id is not null as has_user, hash(session_id) as session,
        hash(coalesce('user ' || user_id, 'session ' || session_id)) as cluster,
        timezone($time_zone, prompt_at)::date as day
    from lake_exchanges join topics on topics.topic_id = subject_topic_id and topics.field = lake_exchanges.field
)
select known.* exclude (day), row_number() over () as unit, cluster % $shards as shard,
    case when day >= first_date and day <= last_date then
        (date_trunc('week', day - to_days($first_weekday::int)) + to_days($first_weekday::int))::date end as week,
    {flags}
from known join lake_exchange_signals using (exchange_id) left join lake_data_days on true
"""
    yield f"""
create table segments as
select shard, unit, topic, field as segment_field, text_value as segment_value, side != 'prompt' as is_later
from lake_exchange_values join (select exchange_id, shard, unit, topic from known_units) using (exchange_id)
where text_value is not null and trim(text_value) != '' and side != 'feedback'
union all
select shard, unit, topic, '{MODEL}', model, false from known_units where model is not null
"""
    yield "create table units as select * exclude (exchange_id, model) from known_units"
    yield "drop table known_units"


TOPICS = "select topic, field, topic_id from topics order by topic"
CELLS_OF_WEEKS = "select distinct topic, week::varchar as value from units"
CELLS_OF_SEGMENTS = "select distinct segment_field, topic, segment_value as value from segments"

UNITS = "select * from units where shard = $shard order by cluster, session"
SEGMENTS = """
select unit, min_by(segment_value, is_later) as value
from segments where shard = $shard and segment_field = $segment_field group by unit
"""
"""The value that was known when the prompt was sent, or else that of the answer."""
