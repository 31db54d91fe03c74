"""SQL of the exchanges of one shard: the sessions whose hash, divided by the number of shards, leaves ``$shard``.

A shard needs nothing of the others, so shards can be built in any order, and anywhere. The views ``lake_TABLE`` are
tables of the lake, where ``lake_events`` has the position of each event in their order. ``exchange_roles`` and
``used_fields`` are small tables of the project, and ``session_facts`` has a row per session.
"""

from turret_pipeline.exchanges.fields import COLUMN, ENUM, ID, NUMBER, RATING, RATINGS_OF_ANSWERS
from turret_pipeline.tables.exchanges import ANSWER, CONTINUED, ENDED, FEEDBACK, OPEN, PROMPT

IS_BLANK = "trim(value, e' \\t\\n\\r') = ''"

ROLE_COUNTS = f"""
select event_name, field, count(*) as event_count
from lake_events join lake_event_values using (event_id)
where field in (from candidate_fields) and not {IS_BLANK}
group by all
union all
select event_name, '', count(*) from lake_events group by event_name
"""
"""Events by name, and by name and field with a value: the input of ``roles.assign_roles``."""

SESSION_FACTS = """
create table session_facts as
select session_id, ended_at, last_at,
    case when user_id is not null
        then row_number() over (partition by user_id order by started_at, first_position) end as session_number
from (
    select session_id, any_value(user_id) as user_id, min(event_at) as started_at, max(event_at) as ended_at,
        min(position) as first_position
    from lake_events group by session_id
), (select coalesce(max(event_at) filter (not is_time_ahead), max(event_at)) as last_at from lake_events)
"""

_EVENTS = """
create or replace temp table shard_events as
select event_id, session_id, user_id, event_at, event_name, position
from lake_events
where hash(session_id) % $shards = $shard and event_name in (select event_name from exchange_roles)
"""

_VALUES = f"""
create or replace temp table shard_values as
with wanted as (
    select field, bool_or(use = 'role') as is_role, bool_or(use != 'role') as has_value
    from (select field, use from used_fields union all select field, 'role' from exchange_roles) group by field
)
select event_id, field, number, is_role, {IS_BLANK} as is_blank, case when has_value then value end as value
from lake_event_values join wanted using (field) semi join shard_events using (event_id)
"""

_MEMBERS = f"""
create or replace temp table members as
with by_field as (
    select event_id, min(field order by preference) filter (role = '{PROMPT}') as prompt_field,
        bool_or(role = '{ANSWER}') as is_answer, bool_or(role = '{FEEDBACK}') as is_feedback
    from shard_events
    join shard_values using (event_id)
    join (select *, row_number() over () as preference from exchange_roles) using (event_name, field)
    where is_role and (not is_blank or role = '{PROMPT}')
    group by event_id
),
by_name as (
    select event_name, bool_or(role = '{ANSWER}') as is_answer, bool_or(role = '{FEEDBACK}') as is_feedback
    from exchange_roles where field = '' group by event_name
),
roles as (
    select shard_events.*, prompt_field,
        coalesce(by_field.is_answer, false) or coalesce(by_name.is_answer, false) as is_answer,
        coalesce(by_field.is_feedback, false) or coalesce(by_name.is_feedback, false) as is_feedback
    from shard_events left join by_field using (event_id) left join by_name using (event_name)
)
select *, count(prompt_field) over (
    partition by session_id order by position rows between unbounded preceding and current row
) as exchange_number
from roles where prompt_field is not null or is_answer or is_feedback
"""

_LINKS = f"""
create or replace temp table links as
with ids as (
    select members.event_id, session_id, exchange_number, is_feedback and prompt_field is null and not is_answer
        as is_only_feedback, value as key
    from shard_values join used_fields using (field) join members using (event_id)
    where use = '{ID}' and not is_blank
),
named as (
    select session_id, exchange_number, unnest([
        event_id, regexp_extract(event_id, '^(.*)-(?:prompt|generation)(?:-.*)?$', 1)
    ]) as key
    from members where prompt_field is not null or is_answer
    union all
    select session_id, exchange_number, key from ids where not is_only_feedback
),
unique_keys as (
    select session_id, key, min(exchange_number) as exchange_number from named
    where key != '' and exchange_number > 0
    group by all having min(exchange_number) = max(exchange_number)
)
select ids.event_id, min(unique_keys.exchange_number) as exchange_number
from ids join unique_keys using (session_id, key)
where is_only_feedback
group by ids.event_id having min(unique_keys.exchange_number) = max(unique_keys.exchange_number)
"""
"""Feedback that names an exchange of its session by an id: that of an event, of a call, or one that both have."""

_LINKED = """
create or replace temp table linked as
select members.* replace (coalesce(links.exchange_number, members.exchange_number) as exchange_number)
from members left join links using (event_id)
where coalesce(links.exchange_number, members.exchange_number) > 0
"""

_SIDE = f"""case when prompt_field is not null then '{PROMPT}' when is_answer then '{ANSWER}' else '{FEEDBACK}' end"""

_SIDED = f"""
create or replace temp table sided_values as
select linked.session_id, linked.exchange_number, position, {_SIDE} as side, is_answer, field, number, value
from shard_values join linked using (event_id)
where not is_blank and field in (select field from used_fields)
"""


def _sum(field: str) -> str:
    """The sum of a number over the answers, or else over the prompt; in a fixed order, for equal last digits."""
    sums = (
        f"sum(number order by position) filter (target = '{field}' and {condition})"
        for condition in ("is_answer", f"side = '{PROMPT}'")
    )
    return f"coalesce({', '.join(sums)}) as {field}"


_UP = ("up", "thumbs_up", "thumbsup", "positive", "like", "liked", "good", "true", "yes", "👍")
_DOWN = ("down", "thumbs_down", "thumbsdown", "negative", "dislike", "disliked", "bad", "false", "no", "👎")

_COLUMNS = f"""
create or replace temp table column_values as
with ratings as (
    select session_id, exchange_number,
        arg_max(coalesce(number, case when lower(value) in {_UP} then 1.0 when lower(value) in {_DOWN} then 0.0 end),
            (side = '{FEEDBACK}', position, -rank)) as rating
    from sided_values join used_fields using (field)
    where use = '{RATING}' and (side = '{FEEDBACK}' or (is_answer and rank < {RATINGS_OF_ANSWERS}))
    group by all
),
own as (
    select session_id, exchange_number,
        arg_min(value, (not is_answer, position)) filter (target = 'model') as model,
        coalesce(
            min(number) filter (target = 'input_tokens' and side = '{PROMPT}'),
            sum(number order by position) filter (target = 'input_tokens' and is_answer)
        ) as input_tokens,
        {_sum("output_tokens")},
        {_sum("cost_usd")},
        arg_min(number, (not is_answer, position)) filter (target = 'latency_seconds') as latency_seconds,
        bool_or(lower(value) in ('true', '1'))
            filter (target = 'is_error' and lower(value) in ('true', 'false', '1', '0')) as is_error
    from (
        select sided_values.* replace (number * factor as number), target
        from sided_values join used_fields using (field)
        where use = '{COLUMN}' and side != '{FEEDBACK}'
        qualify rank = min(rank) over (partition by position, target)
    )
    group by all
)
select * from own full join ratings using (session_id, exchange_number)
"""

_PROMPTS = """
create or replace temp table prompts as
select members.event_id, members.session_id, members.user_id, members.event_at, members.exchange_number,
    prompt_field as field, topic_id, coalesce(continues_topic_id, topic_id) as subject_topic_id
from members
left join (
    select event_id, texts.field, topic_id
    from lake_event_texts as texts join lake_text_topics as topics using (field, text_id)
) as own on own.event_id = members.event_id and own.field = prompt_field
left join lake_continuations as continued on continued.event_id = members.event_id and continued.field = prompt_field
where prompt_field is not null
"""

STEPS = (_EVENTS, _VALUES, _MEMBERS, _LINKS, _LINKED, _SIDED, _COLUMNS, _PROMPTS)
"""Statements that build the tables of a shard, in order. ``$shard`` and ``$shards`` are parameters of the first."""

EXCHANGES = f"""
with answers as (
    select session_id, exchange_number, arg_min(event_id, position) filter (is_answer) as answer_event_id,
        min(event_at) filter (is_answer and prompt_field is null) as answered_at,
        count(*) filter (is_answer) as answer_count,
        count(*) filter (is_feedback and prompt_field is null and not is_answer) as feedback_count
    from linked group by session_id, exchange_number
),
previous as (
    select *, last_value(subject_topic_id ignore nulls) over (
        partition by session_id order by exchange_number rows between unbounded preceding and 1 preceding
    ) as previous_topic_id,
    count(*) over (partition by session_id) as session_exchange_count
    from prompts
)
select event_id as exchange_id, event_id as prompt_event_id, answer_event_id, session_id, user_id,
    event_at as prompt_at, field, topic_id, subject_topic_id, session_number, exchange_number,
    nullif(count(*) filter (subject_topic_id is not null and subject_topic_id is distinct from previous_topic_id) over (
        partition by session_id order by exchange_number rows between unbounded preceding and current row
    ), 0) as subject_number,
    case when answer_event_id != event_id then epoch(answered_at - event_at) end as seconds_to_answer,
    answer_count, model, input_tokens, output_tokens, cost_usd, latency_seconds, is_error, rating, feedback_count,
    case
        when exchange_number < session_exchange_count then '{CONTINUED}'
        when ended_at > last_at - to_microseconds(($gap * 60e6)::bigint) then '{OPEN}'
        else '{ENDED}'
    end as ending
from previous
join answers using (session_id, exchange_number)
left join column_values using (session_id, exchange_number)
join session_facts using (session_id)
order by prompt_at, exchange_id
"""

EXCHANGE_VALUES = f"""
with ordered as (
    select *, case when side = '{FEEDBACK}' then -position else position end as place
    from sided_values join used_fields using (field)
    where (use = '{NUMBER}' and isfinite(number)) or use = '{ENUM}'
)
select event_id as exchange_id, ordered.field, side,
    arg_min(number, place) filter (use = '{NUMBER}') as number_value,
    arg_min(value, place) filter (use = '{ENUM}') as text_value
from ordered join prompts using (session_id, exchange_number)
group by event_id, ordered.field, side
order by ordered.field, side, event_id
"""
