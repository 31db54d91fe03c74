"""SQL of the signals of exchanges.

The views ``lake_TABLE`` are tables of the lake. ``prompt_classes`` and ``answer_classes`` have a probability per class
and text, ``similar_pairs`` those that say nearly the same, ``answer_fields`` the fields of answers by rank, and
``wrong_marks`` the signals of exchanges that a person marked as wrong. ``project`` is one row: the share of prompts
with an answer, the scale of ratings, and the time of the last event. A condition that is null is not decided.
"""

from turret_pipeline.tables.exchanges import ENDED, OPEN
from turret_pipeline.tables.rating_scales import BAD_SHARE, SCALES
from turret_pipeline.tables.signals import SIGNALS, SIGNALS_OF_STRUGGLE

MIN_PROBABILITY = 0.5
REPEAT_DAYS = 7
MIN_ANSWERED_SHARE = 0.5
"""Share of the exchanges with an answer from which on a prompt without one counts as unanswered."""

_SCALES = [list(scale) for scale in SCALES]

PROJECT = f"""
create table project as
select answered_share, scales[1][1] as worst, scales[1][2] as best, last_at
from (
    select coalesce(avg((answer_event_id is not null)::int), 0) as answered_share,
        list_filter({_SCALES}, lambda scale: min(rating) >= scale[1] and max(rating) <= scale[2]) as scales
    from lake_exchanges
), (select coalesce(max(event_at) filter (not is_time_ahead), max(event_at)) as last_at from lake_events)
"""

TURNS = """
create table turns as
with answers as (
    select event_id, arg_min(text_id, rank) as answer_text_id
    from lake_event_texts join answer_fields using (field) where text_id is not null group by event_id
)
select exchange_id, session_id, exchange_number, exchanges.field, prompt_at, seconds_to_answer, ending, user_id,
    exchanges.topic_id, subject_topic_id, answer_event_id is not null as has_answer, is_error, rating,
    prompts.text_id as text_id, answer_text_id, continues_topic_id is not null as is_follow_up,
    lead(prompts.text_id) over next as next_text_id,
    lead(continues_topic_id is not null) over next as is_next_follow_up,
    lead(exchanges.topic_id) over next as next_topic_id
from lake_exchanges as exchanges
left join lake_event_texts as prompts
    on prompts.event_id = exchanges.prompt_event_id and prompts.field = exchanges.field
left join answers on answers.event_id = exchanges.answer_event_id
left join lake_continuations as continued
    on continued.event_id = exchanges.prompt_event_id and continued.field = exchanges.field
window next as (partition by session_id order by exchange_number)
"""

PAIRS = """
select distinct text_id, next_text_id from turns
where text_id is not null and next_text_id is not null and not is_next_follow_up
    and (text_id = next_text_id or topic_id is null or next_topic_id is null or topic_id = next_topic_id)
"""
"""Pairs of prompts that may say the same: not those of different topics."""

_OPEN = "'The session may go on.'"

_DECIDED = f"""
with repeats as (
    select user_id, subject_topic_id, session_id,
        lead(first_at) over (partition by user_id, subject_topic_id order by first_at) as next_at
    from (
        select user_id, subject_topic_id, session_id, min(prompt_at) as first_at from turns
        where user_id is not null and subject_topic_id is not null group by all
    )
),
ends as (select session_id, max(event_at) as ended_at from lake_events group by session_id),
decided as (
    select turns.*, cosine, shared_words, corrected, declined, unanswered, worst, best, last_at,
        next_at, ended_at, answered_share,
        case
            when next_text_id is not null and text_id is not null then
                case when corrected is not null then cosine is not null and not is_next_follow_up end
            when ending = '{ENDED}' then false
        end as is_rephrased,
        case
            when next_text_id is not null then corrected >= {MIN_PROBABILITY}
            when ending = '{ENDED}' then false
        end as is_corrected,
        declined >= {MIN_PROBABILITY} and declined >= unanswered as is_declined,
        case
            when is_error then true
            when has_answer and answer_text_id is null then false
            when has_answer then unanswered >= {MIN_PROBABILITY} and unanswered > declined
            when answered_share >= {MIN_ANSWERED_SHARE} and ending != '{OPEN}' then true
        end as is_unanswered,
        case
            when user_id is null or subject_topic_id is null then null
            when next_at <= prompt_at + interval '{REPEAT_DAYS} days' then true
            when prompt_at <= last_at - interval '{REPEAT_DAYS} days' then false
        end as is_repeated_later,
        rating <= worst + {BAD_SHARE} * (best - worst) as is_badly_rated
    from turns
    left join (select text_id as next_text_id, corrected from prompt_classes) using (next_text_id)
    left join (select text_id as answer_text_id, declined, unanswered from answer_classes) using (answer_text_id)
    left join similar_pairs using (text_id, next_text_id)
    left join repeats using (user_id, subject_topic_id, session_id)
    left join ends using (session_id)
    cross join project
),
followed as (
    select *, lag(is_rephrased) over previous as is_rephrase, lag(is_corrected) over previous as is_objection,
        epoch(ended_at - prompt_at) - coalesce(seconds_to_answer, 0) as seconds_to_end
    from decided window previous as (partition by session_id order by exchange_number)
)
select *, case
    when ending = '{OPEN}' then null
    when ending != '{ENDED}' or seconds_to_end > $abandoned_seconds then false
    else coalesce(is_declined, false) or coalesce(is_rephrase, false) or coalesce(is_objection, false)
end as is_abandoned
from followed
"""

_MARKED = f"""
select * replace ({
    ", ".join(
        f"case when list_contains(wrong_signals, '{signal}') then false else is_{signal} end as is_{signal}"
        for signal in SIGNALS
    )
})
from ({_DECIDED})
left join (select exchange_id, list(signal) as wrong_signals from wrong_marks group by exchange_id) using (exchange_id)
"""

_REASONS = {
    "rephrased": f"""case
        when is_rephrased then case when cosine = 1 and text_id = next_text_id then 'The next prompt is the same.'
            else format('The next prompt says nearly the same: cosine {{:.2f}}, {{:.0f}} % of the words.', cosine,
                shared_words * 100) end
        when is_rephrased is null then case when ending = '{OPEN}' then {_OPEN}
            when text_id is null or next_text_id is null then 'A prompt has no text.'
            else 'The next prompt is in a language without rules.' end end""",
    "corrected": f"""case
        when is_corrected then format('The next prompt objects: probability {{:.2f}}.', corrected)
        when is_corrected is null then case when ending = '{OPEN}' then {_OPEN}
            when next_text_id is null then 'The next prompt has no text.'
            else 'The next prompt is in a language without rules.' end end""",
    "declined": """case
        when is_declined then format('The answer refuses: probability {:.2f}.', declined)
        when is_declined is null then case when not has_answer then 'The prompt has no answer.'
            when answer_text_id is null then 'The text of the answer is not recorded.'
            else 'The answer is in a language without rules.' end end""",
    "unanswered": f"""case
        when is_unanswered then case when is_error then 'The answer is an error.'
            when not has_answer then 'No answer follows.'
            else format('The answer gives nothing: probability {{:.2f}}.', unanswered) end
        when is_unanswered is null then case
            when not has_answer then case when ending = '{OPEN}' then {_OPEN}
                else 'Fewer than half of the prompts have an answer: answers are not recorded for all.' end
            else 'The answer is in a language without rules.' end end""",
    "abandoned": f"""case
        when is_abandoned then format('The session ended {{:.0f}} s after it, and ', greatest(seconds_to_end, 0))
            || case when is_declined then 'the answer refuses.'
            when is_rephrase then 'its prompt repeats the one before.' else 'its prompt objects.' end
        when is_abandoned is null then {_OPEN} end""",
    "repeated_later": f"""case
        when is_repeated_later then format('The user came back to the topic after {{:.1f}} days.',
            epoch(next_at - prompt_at) / 86400)
        when is_repeated_later is null then case when user_id is null then 'The user is unknown.'
            when subject_topic_id is null then 'The prompt has no topic.'
            else 'The {REPEAT_DAYS} days after it are not over.' end end""",
    "badly_rated": """case
        when is_badly_rated then format('Rated {} on a scale from {} to {}.', rating, worst, best)
        when is_badly_rated is null then case when rating is null then 'The exchange has no rating.'
            else 'The scale of the ratings is unknown.' end end""",
}


def _explain(signal: str) -> str:
    is_wrong = f"list_contains(wrong_signals, '{signal}')"
    return f"case when {is_wrong} then 'A person marked it as wrong.' else {_REASONS[signal]} end"


_ANY = " or ".join(f"coalesce(is_{signal}, false)" for signal in SIGNALS_OF_STRUGGLE)
_NONE_DECIDED = " and ".join(f"is_{signal} is null" for signal in SIGNALS_OF_STRUGGLE)
_NAMES = ", ".join(f"case when is_{signal} then '{signal}' end" for signal in SIGNALS_OF_STRUGGLE)

EXCHANGE_SIGNALS = f"""
select exchange_id, {", ".join(f"is_{signal}, {_explain(signal)} as {signal}_reason" for signal in SIGNALS)},
    case when {_ANY} then true when not ({_NONE_DECIDED}) then false end as is_struggle,
    case when {_ANY} then concat_ws(', ', {_NAMES}) when {_NONE_DECIDED} then 'No signal could be decided.' end
        as struggle_reason
from ({_MARKED})
order by session_id, exchange_number
"""
