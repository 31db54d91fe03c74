"""SQL of the exchanges of one shard, from the views of its tables (``split.SHARD_TABLES``).

``event_roles`` (exchange_roles with their order) and ``used_fields`` are small tables of the project. An exchange is
the position of its prompt.
"""

from turret_pipeline.exchanges.fields import COLUMN, ENUM, ID, NUMBER, NUMBERS, RATING, RATINGS_OF_ANSWERS
from turret_pipeline.tables.exchanges import ANSWER, CONTINUED, ENDED, FEEDBACK, OPEN, PROMPT

_IS_PROMPT = f"side = '{PROMPT}'"
_SIDE = f"enum('{PROMPT}', '{ANSWER}', '{FEEDBACK}')"

_PREFERENCE = "if(is_present, preference, preference + (1::bigint << 32))"
"""Place of a field among the prompts of an event: those with a text first, then blank ones. ``preference`` has 32 bits.
Comparing it takes less time than comparing a pair."""

_MEMBERS = f"""
create temp table members as
with by_field as (
    select position, arg_min(field, {_PREFERENCE}) filter (role = '{PROMPT}') as prompt_field,
        arg_min_null(topic_id, {_PREFERENCE}) filter (role = '{PROMPT}') as topic_id,
        arg_min_null(subject_topic_id, {_PREFERENCE}) filter (role = '{PROMPT}') as subject_topic_id,
        bool_or(role = '{ANSWER}') as is_answer, bool_or(role = '{FEEDBACK}') as is_feedback
    from shard_texts join shard_events using (position) join event_roles using (event_name, field)
    where is_present or role = '{PROMPT}'
    group by position
),
by_name as (
    select event_name, bool_or(role = '{ANSWER}') as is_answer, bool_or(role = '{FEEDBACK}') as is_feedback
    from event_roles where field = '' group by event_name
),
roles as (
    select shard_events.*, prompt_field, topic_id, subject_topic_id,
        coalesce(by_field.is_answer, false) or coalesce(by_name.is_answer, false) as is_answer,
        coalesce(by_field.is_feedback, false) or coalesce(by_name.is_feedback, false) as is_feedback
    from shard_events left join by_field using (position) left join by_name using (event_name)
)
select position, event_id, session, event_at, prompt_field, topic_id, subject_topic_id, is_answer,
    (case when prompt_field is not null then '{PROMPT}' when is_answer then '{ANSWER}' else '{FEEDBACK}' end)::{_SIDE}
        as side,
    max(case when prompt_field is not null then position end) over until_here as exchange,
    count(prompt_field) over until_here as exchange_number
from roles where prompt_field is not null or is_answer or is_feedback
window until_here as (partition by session order by position rows between unbounded preceding and current row)
"""

_LINKS = f"""
create temp table linked as
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
),
placed as (
    select members.position, members.event_id, event_at, prompt_field, is_answer, side,
        coalesce(links.exchange, members.exchange) as exchange
    from members left join links using (position)
    where coalesce(links.exchange, members.exchange) is not null
)
select *, exchange in (
    select exchange from placed group by exchange
    having count(*) filter (is_answer) > 1 or count(*) filter (side = '{FEEDBACK}') > 1
) as has_several
from placed
"""
"""Members of exchanges. Feedback may name an exchange of its session by an id: that of an event, of a call, or one that
both have. ``has_several`` is true for all members of an exchange with two answers, or two events of feedback."""


_UP = ("up", "thumbs_up", "thumbsup", "positive", "like", "liked", "good", "true", "yes", "👍")
_DOWN = ("down", "thumbs_down", "thumbsdown", "negative", "dislike", "disliked", "bad", "false", "no", "👎")

_COLUMNS = f"""
create temp table column_values as
with ratings as (
    select exchange,
        arg_max(coalesce(number, case when lower(value) in {_UP} then 1.0 when lower(value) in {_DOWN} then 0.0 end),
            (side = '{FEEDBACK}', position, -rank)) as rating
    from shard_values join used_fields using (field) join linked using (position)
    where use = '{RATING}' and (side = '{FEEDBACK}' or (is_answer and rank < {RATINGS_OF_ANSWERS}))
    group by exchange
),
used as (
    select shard_values.* replace (number * factor as number), target, exchange, side, is_answer, has_several
    from shard_values join used_fields using (field) join linked using (position)
    where use = '{COLUMN}' and side != '{FEEDBACK}'
        and (target not in {NUMBERS} or (isfinite(number) and number >= 0))
    {{preferred}}
),
own as ({{of_one}} union all {{of_several}})
select * from own full join ratings using (exchange)
"""

_PREFERRED = "qualify rank = min(rank) over (partition by position, target)"
"""The value of the best name, where an event has a quantity under several names."""


def list_steps(*, has_other_names: bool) -> dict[str, str]:
    """Statements that build the tables of a shard by their names, in order.

    ``has_other_names`` is true if a column of exchanges comes from several fields, which takes longer.
    """
    columns = _COLUMNS.format(
        preferred=_PREFERRED if has_other_names else "",
        of_one=f"{_select_columns()} where not has_several group by exchange",
        of_several=f"{_select_columns('order by position')} where has_several group by exchange",
    )
    return {"members": _MEMBERS, "linked": _LINKS, "column_values": columns}


def _select_columns(order: str = "") -> str:
    """Columns of exchanges from their values. Sums in a fixed order have equal last digits, and take three times as
    long."""

    def add(field: str, condition: str) -> str:
        return f"sum(number {order}) filter (target = '{field}' and {condition})"

    def add_side(field: str) -> str:
        """The sum over the answers, or else over the prompt."""
        return f"coalesce({add(field, 'is_answer')}, {add(field, _IS_PROMPT)}) as {field}"

    return f"""
    select exchange,
        arg_min(value, (not is_answer, position)) filter (target = 'model') as model,
        coalesce(
            min(number) filter (target = 'input_tokens' and {_IS_PROMPT}), {add("input_tokens", "is_answer")}
        ) as input_tokens,
        {add_side("output_tokens")},
        {add_side("cost_usd")},
        arg_min(number, (not is_answer, position)) filter (target = 'latency_seconds') as latency_seconds,
        bool_or(lower(value) in ('true', '1'))
            filter (target = 'is_error' and lower(value) in ('true', 'false', '1', '0')) as is_error
    from used"""


EXCHANGES = f"""
with answers as (
    select exchange, arg_min(event_id, position) filter (is_answer) as answer_event_id,
        min(event_at) filter (is_answer and prompt_field is null) as answered_at,
        count(*) filter (is_answer) as answer_count,
        count(*) filter (side = '{FEEDBACK}') as feedback_count
    from linked group by exchange
),
previous as (
    select *, last_value(subject_topic_id ignore nulls) over (
        partition by session order by position rows between unbounded preceding and 1 preceding
    ) as previous_topic_id,
    count(*) over (partition by session) as session_exchange_count
    from members where prompt_field is not null
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
join shard_sessions using (session)
order by position
"""

EXCHANGE_VALUES = f"""
with kept as (
    select field, name_order, side, exchange, has_several, if(side = '{FEEDBACK}', -position, position) as place,
        case when use = '{NUMBER}' then number end as number_value,
        case when use = '{ENUM}' then value end as text_value
    from shard_values join used_fields using (field) join linked using (position)
    where (use = '{NUMBER}' and isfinite(number)) or use = '{ENUM}'
),
chosen as (
    select field, name_order, side, exchange, number_value, text_value from kept where not has_several
    union all
    select field, name_order, side, exchange, arg_min(number_value, place), arg_min(text_value, place)
    from kept where has_several group by all
)
select event_id as exchange_id, field, chosen.side::varchar as side, number_value, text_value
from chosen join members on members.position = chosen.exchange
order by chosen.exchange, name_order, chosen.side
"""
"""Values are grouped only where a side has several events: mostly it has one."""
