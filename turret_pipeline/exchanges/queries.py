"""SQL of the exchanges of one shard: the sessions whose hash, divided by the number of shards, leaves ``$shard``.

A shard needs nothing of the others, so shards can be built in any order, and anywhere. The views ``lake_TABLE`` are
tables of the lake, where ``lake_events`` has the position of each event in their order. ``exchange_roles``,
``used_fields`` and ``text_roles`` (the candidates for roles that are text fields) are small tables of the project, and
``session_facts`` has a row per session. Within a shard, positions stand for events: a session is the position of its
first event, and an exchange that of its prompt. Integers are joined and sorted faster than ids.
"""

from turret_pipeline.exchanges.fields import COLUMN, ENUM, ID, NUMBER, RATING, RATINGS_OF_ANSWERS
from turret_pipeline.tables.exchanges import ANSWER, CONTINUED, ENDED, FEEDBACK, OPEN, PROMPT

_IS_BLANK = "trim(value, e' \\t\\n\\r') = ''"

_ROLE_VALUES = f"""
select event_id, field, text_id is not null as is_present, text_id
from lake_event_texts where field in (select field from candidate_fields where is_text)
union all
select event_id, field, not {_IS_BLANK}, null
from lake_event_values where field in (select field from candidate_fields where not is_text)
"""
"""Values that may give their events a role. Texts are long: only table ``event_texts`` is read of them."""

ROLE_COUNTS = f"""
select event_name, field, count(*) as event_count
from ({_ROLE_VALUES}) as role_values join lake_events using (event_id)
where is_present
group by all
union all
select event_name, '', count(*) from lake_events group by event_name
"""
"""Events by name, and by name and field with a value: the input of ``roles.assign_roles``."""

SESSION_FACTS = """
create table session_facts as
select session_id, session, user_id, ended_at, last_at,
    case when user_id is not null
        then row_number() over (partition by user_id order by started_at, session) end as session_number
from (
    select session_id, any_value(user_id) as user_id, min(event_at) as started_at, max(event_at) as ended_at,
        min(position) as session
    from lake_events group by session_id
), (select coalesce(max(event_at) filter (not is_time_ahead), max(event_at)) as last_at from lake_events)
"""

_EVENTS = """
create or replace temp table shard_events as
select event_id, session, event_at, event_name, position
from lake_events join session_facts using (session_id)
where hash(session_id) % $shards = $shard and event_name in (select event_name from exchange_roles)
"""

_SIDE = f"enum('{PROMPT}', '{ANSWER}', '{FEEDBACK}')"

_MEMBERS = f"""
create or replace temp table members as
with preferred as (
    select *, row_number() over () as preference from exchange_roles
),
by_field as (
    select position, min(field order by preference) filter (role = '{PROMPT}') as prompt_field,
        min(text_id order by preference) filter (role = '{PROMPT}') as text_id,
        bool_or(role = '{ANSWER}') as is_answer, bool_or(role = '{FEEDBACK}') as is_feedback
    from ({_ROLE_VALUES}) as role_values
    join shard_events using (event_id)
    join preferred using (event_name, field)
    where is_present or role = '{PROMPT}'
    group by position
),
by_name as (
    select event_name, bool_or(role = '{ANSWER}') as is_answer, bool_or(role = '{FEEDBACK}') as is_feedback
    from exchange_roles where field = '' group by event_name
),
roles as (
    select shard_events.*, prompt_field, text_id,
        coalesce(by_field.is_answer, false) or coalesce(by_name.is_answer, false) as is_answer,
        coalesce(by_field.is_feedback, false) or coalesce(by_name.is_feedback, false) as is_feedback
    from shard_events left join by_field using (position) left join by_name using (event_name)
)
select position, event_id, session, event_at, prompt_field, text_id, is_answer,
    (case when prompt_field is not null then '{PROMPT}' when is_answer then '{ANSWER}' else '{FEEDBACK}' end)::{_SIDE}
        as side,
    max(case when prompt_field is not null then position end) over until_here as exchange,
    count(prompt_field) over until_here as exchange_number
from roles where prompt_field is not null or is_answer or is_feedback
window until_here as (partition by session order by position rows between unbounded preceding and current row)
"""

_VALUES = f"""
create or replace temp table shard_values as
select position, field, number, case when has_text then value end as value
from lake_event_values
join (select field, bool_or(use != '{NUMBER}') as has_text from used_fields group by field) using (field)
join members using (event_id)
where not {_IS_BLANK}
"""

_LINKS = f"""
create or replace temp table linked as
with ids as (
    select distinct session, exchange, position, side, value as key
    from shard_values join used_fields using (field) join members using (position)
    where use = '{ID}'
),
wanted as (select distinct session, key from ids where side = '{FEEDBACK}'),
named as (
    select session, exchange, event_id as key from members where side != '{FEEDBACK}'
    union all
    select session, exchange, regexp_extract(event_id, '^(.*)-(?:prompt|generation)(?:-.*)?$', 1) from members
    where side != '{FEEDBACK}' and (contains(event_id, '-prompt') or contains(event_id, '-generation'))
    union all
    select session, exchange, key from ids where side != '{FEEDBACK}'
),
unique_keys as (
    select session, key, min(exchange) as exchange from named semi join wanted using (session, key)
    where key != '' and exchange is not null
    group by all having min(exchange) = max(exchange)
),
links as (
    select ids.position, min(unique_keys.exchange) as exchange
    from ids join unique_keys using (session, key)
    where side = '{FEEDBACK}'
    group by ids.position having min(unique_keys.exchange) = max(unique_keys.exchange)
)
select members.position, members.event_id, event_at, prompt_field, is_answer, side,
    coalesce(links.exchange, members.exchange) as exchange
from members left join links using (position)
where coalesce(links.exchange, members.exchange) is not null
"""
"""Members of exchanges. Feedback may name an exchange of its session by an id: that of an event, of a call, or one that
both have."""


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
    select exchange,
        arg_max(coalesce(number, case when lower(value) in {_UP} then 1.0 when lower(value) in {_DOWN} then 0.0 end),
            (side = '{FEEDBACK}', position, -rank)) as rating
    from shard_values join used_fields using (field) join linked using (position)
    where use = '{RATING}' and (side = '{FEEDBACK}' or (is_answer and rank < {RATINGS_OF_ANSWERS}))
    group by exchange
),
own as (
    select exchange,
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
        select shard_values.* replace (number * factor as number), target, exchange, side, is_answer
        from shard_values join used_fields using (field) join linked using (position)
        where use = '{COLUMN}' and side != '{FEEDBACK}'
        {{preferred}}
    )
    group by exchange
)
select * from own full join ratings using (exchange)
"""

_PREFERRED = "qualify rank = min(rank) over (partition by position, target)"
"""The value of the best name, where an event has a quantity under several names."""


def list_steps(*, has_other_names: bool) -> tuple[str, ...]:
    """Statements that build the tables of a shard, in order. ``$shard`` and ``$shards`` are parameters of the first.

    ``has_other_names`` is true if a column of exchanges comes from several fields, which takes longer.
    """
    columns = _COLUMNS.format(preferred=_PREFERRED if has_other_names else "")
    return _EVENTS, _MEMBERS, _VALUES, _LINKS, columns


EXCHANGES = f"""
with answers as (
    select exchange, arg_min(event_id, position) filter (is_answer) as answer_event_id,
        min(event_at) filter (is_answer and prompt_field is null) as answered_at,
        count(*) filter (is_answer) as answer_count,
        count(*) filter (side = '{FEEDBACK}') as feedback_count
    from linked group by exchange
),
prompts as (
    select members.*, topic_id, coalesce(continues_topic_id, topic_id) as subject_topic_id
    from members
    left join lake_text_topics as topics on topics.field = prompt_field and topics.text_id = members.text_id
    left join lake_continuations as continued
        on continued.event_id = members.event_id and continued.field = prompt_field
    where prompt_field is not null
),
previous as (
    select *, last_value(subject_topic_id ignore nulls) over (
        partition by session order by position rows between unbounded preceding and 1 preceding
    ) as previous_topic_id,
    count(*) over (partition by session) as session_exchange_count
    from prompts
)
select event_id as exchange_id, event_id as prompt_event_id, answer_event_id, session_id, user_id,
    event_at as prompt_at, prompt_field as field, topic_id, subject_topic_id, session_number, exchange_number,
    nullif(count(*) filter (subject_topic_id is not null and subject_topic_id is distinct from previous_topic_id) over (
        partition by session order by position rows between unbounded preceding and current row
    ), 0) as subject_number,
    case when answer_event_id != event_id then epoch(answered_at - event_at) end as seconds_to_answer,
    answer_count, model, input_tokens, output_tokens, cost_usd, latency_seconds, is_error, rating, feedback_count,
    case
        when exchange_number < session_exchange_count then '{CONTINUED}'
        when ended_at > last_at - to_microseconds(($gap * 60e6)::bigint) then '{OPEN}'
        else '{ENDED}'
    end as ending
from previous
join answers on answers.exchange = position
left join column_values on column_values.exchange = position
join session_facts using (session)
order by position
"""

EXCHANGE_VALUES = f"""
with several as (
    select exchange, side from linked group by all having count(*) > 1
),
placed as (
    select linked.position, linked.exchange, linked.side, several.exchange is not null as is_one_of_several
    from linked left join several using (exchange, side)
),
kept as (
    select field, side, exchange, is_one_of_several, if(side = '{FEEDBACK}', -position, position) as place,
        case when use = '{NUMBER}' then number end as number_value,
        case when use = '{ENUM}' then value end as text_value
    from shard_values join used_fields using (field) join placed using (position)
    where (use = '{NUMBER}' and isfinite(number)) or use = '{ENUM}'
),
chosen as (
    select field, side, exchange, number_value, text_value from kept where not is_one_of_several
    union all
    select field, side, exchange, arg_min(number_value, place), arg_min(text_value, place)
    from kept where is_one_of_several group by field, side, exchange
)
select event_id as exchange_id, chosen.field, chosen.side::varchar as side, number_value, text_value
from chosen join members on members.position = chosen.exchange
order by chosen.field, chosen.side, chosen.exchange
"""
"""Values are grouped only where a side has several events: mostly it has one."""
