"""SQL of the signals of exchanges.

The views ``lake_TABLE`` are tables of the lake. ``prompt_classes`` and ``answer_classes`` are those of
``find_classes``, ``similar_pairs`` the pairs of prompts that say nearly the same, ``prompt_fields`` the fields of
prompts, ``answer_fields`` those of answers by rank, and ``wrong_marks`` the signals of exchanges that a person marked
as wrong. ``numbered_exchanges`` has the number of each row in its file. Sessions, users, topics and texts have keys,
the hashes of their ids: integers are joined and sorted several times as fast as strings, and two of 10,000,000 texts
share a key with a probability of 0.000003. ``project`` is one row: the share of prompts with an answer, the scale of
ratings, and the time of the last event. A condition that is null is not decided. Joins have their smaller side on the
right.
"""

from turret_pipeline.signals.text_classes import MIN_PROBABILITY
from turret_pipeline.tables.exchanges import ENDED, OPEN
from turret_pipeline.tables.rating_scales import BAD_SHARE, SCALES
from turret_pipeline.tables.signals import SIGNALS, SIGNALS_OF_STRUGGLE

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

_HASHES = "hash(event_id) as one_hash, hash(event_id || '#') as other_hash"
"""Two hashes of an event are an integer of 128 bits, which is joined faster than its id and needs half the memory."""

ANSWERS_OF_ONE_FIELD = f"""
select {_HASHES}, hash(text_id) as text_key
from lake_event_texts where field = (select field from answer_fields) and text_id is not null
"""

ANSWERS_OF_SEVERAL_FIELDS = f"""
select {_HASHES}, arg_min(hash(text_id), (rank, field)) as text_key
from lake_event_texts join answer_fields using (field) where text_id is not null group by all
"""


def _select_joined(answers: str) -> str:
    """SQL of the exchanges with the keys of their sessions, topics and texts."""
    return f"""
select file_row_number, hash(session_id) as session_key, exchange_number,
    case when topic_id is not null then hash(topic_id) end as topic_key, prompts.text_key,
    answers.text_key as answer_text_key, continued.one_hash is not null as is_follow_up
from numbered_exchanges as exchanges
left join (
    select {_HASHES}, field, case when text_id is not null then hash(text_id) end as text_key
    from lake_event_texts where field in (select field from prompt_fields)
) as prompts
    on prompts.one_hash = hash(prompt_event_id) and prompts.other_hash = hash(prompt_event_id || '#')
    and prompts.field = exchanges.field
left join ({answers}) as answers
    on answers.one_hash = hash(answer_event_id) and answers.other_hash = hash(answer_event_id || '#')
left join (select {_HASHES}, field from lake_continuations) as continued
    on continued.one_hash = hash(prompt_event_id) and continued.other_hash = hash(prompt_event_id || '#')
    and continued.field = exchanges.field
"""


def create_turns(answers: str) -> str:
    """Statement that makes the table ``turns``: what the signals of an exchange need of it and its neighbours.

    ``may_repeat`` says that the next prompt may say the same: not if it is a follow-up, or of another topic.
    """
    return f"""
create table turns as
select * exclude (exchange_number, topic_key), lag(text_key) over next as previous_text_key,
    lead(text_key) over next as next_text_key, lead(is_follow_up) over next as is_next_follow_up,
    not is_next_follow_up and (
        text_key = next_text_key or topic_key is null or lead(topic_key) over next is null
        or topic_key = lead(topic_key) over next
    ) as may_repeat
from ({_select_joined(answers)})
window next as (partition by session_key order by exchange_number)
"""


PAIRS = """
select distinct text_key, next_text_key from turns
where text_key is not null and next_text_key is not null and may_repeat
"""

PROMPT_TEXTS = """
create view prompt_texts as
select text_id, any_value(text) as text
from lake_texts where field in (select field from prompt_fields) group by text_id
"""

PROMPT_TEXTS_OF_ONE_FIELD = """
create view prompt_texts as select text_id, text from lake_texts where field = (select field from prompt_fields)
"""

PAIRS_WITH_TEXTS = """
select ones.text_id, others.text_id as next_text_id, ones.text, others.text as next_text
from prompt_texts as others
join (
    select ones.text_id, ones.text, next_text_key
    from prompt_texts as ones join pairs on text_key = hash(ones.text_id)
) as ones
    on next_text_key = hash(others.text_id)
"""

REPEATS = """
create table repeats as
select user_key, subject_key, session_key, next_at
from (
    select user_key, subject_key, session_key,
        lead(first_at) over (partition by user_key, subject_key order by first_at) as next_at
    from (
        select hash(user_id) as user_key, hash(subject_topic_id) as subject_key, hash(session_id) as session_key,
            min(prompt_at) as first_at
        from lake_exchanges where user_id is not null and subject_topic_id is not null group by all
    )
)
where next_at is not null
"""

ENDS = """
create table ends as
select hash(session_id) as session_key, max(event_at) as ended_at from lake_events group by session_key
"""


def _known(classes: str, name: str) -> str:
    """SQL of a probability: that of a text without a row is below MIN_PROBABILITY, and that of no text unknown."""
    text = {"next_prompts": "next_text_key", "answers": "answer_text_key"}[classes]
    has_row = f"{classes}.text_key is not null"
    return f"case when {has_row} then {classes}.{name} when turns.{text} is not null then 0 end as {name}"


_OPEN = "'The session may go on.'"

_WRONG_BEFORE = """
select following.exchange_id, list(signal) as wrong_before
from lake_exchanges as following
join (lake_exchanges as marked join wrong_marks using (exchange_id))
    on marked.session_id = following.session_id and marked.exchange_number + 1 = following.exchange_number
group by following.exchange_id
"""
"""The signals of the exchange before that a person marked as wrong."""

_DECIDED = f"""
with decided as (
    select exchange_id, ending, prompt_at, exchanges.user_id, subject_topic_id, is_error, rating,
        answer_event_id is not null as has_answer, turns.text_key,
        turns.next_text_key, turns.answer_text_key, turns.is_next_follow_up,
        similar_pairs.cosine, similar_pairs.shared_words, next_at, ended_at, worst, best, last_at,
        answered_share,
        {_known("next_prompts", "corrected")}, {_known("answers", "declined")}, {_known("answers", "unanswered")},
        next_prompts.corrected is null and next_prompts.text_key is not null as has_unknown_next_prompt,
        own_prompts.corrected is null and own_prompts.text_key is not null and exchange_number > 1
            as has_unknown_prompt,
        answers.declined is null and answers.text_key is not null as has_unknown_answer,
        own_prompts.corrected >= {MIN_PROBABILITY} and exchange_number > 1
            and not coalesce(list_contains(wrong_before, 'corrected'), false) as is_objection,
        previous_pairs.cosine is not null and not is_follow_up
            and (own_prompts.text_key is null or own_prompts.corrected is not null)
            and not coalesce(list_contains(wrong_before, 'rephrased'), false) as is_rephrase,
        wrong_signals,
        epoch(ended_at - prompt_at) - coalesce(seconds_to_answer, 0) as seconds_to_end
    from numbered_exchanges as exchanges
    join turns using (file_row_number)
    left join prompt_classes as next_prompts on next_prompts.text_key = turns.next_text_key
    left join prompt_classes as own_prompts on own_prompts.text_key = turns.text_key
    left join answer_classes as answers on answers.text_key = turns.answer_text_key
    left join similar_pairs
        on similar_pairs.text_key = turns.text_key and similar_pairs.next_text_key = turns.next_text_key
    left join similar_pairs as previous_pairs
        on previous_pairs.text_key = turns.previous_text_key and previous_pairs.next_text_key = turns.text_key
    left join repeats
        on user_key = hash(exchanges.user_id) and subject_key = hash(subject_topic_id)
        and repeats.session_key = turns.session_key
    left join ends on ends.session_key = turns.session_key
    left join (select exchange_id, list(signal) as wrong_signals from wrong_marks group by exchange_id)
        using (exchange_id)
    left join ({_WRONG_BEFORE}) using (exchange_id)
    cross join project
),
judged as (
    select *,
        case
            when next_text_key is not null and text_key is not null then
                case when not has_unknown_next_prompt then cosine is not null and not is_next_follow_up end
            when ending = '{ENDED}' then false
        end as is_rephrased,
        case
            when next_text_key is not null then corrected >= {MIN_PROBABILITY}
            when ending = '{ENDED}' then false
        end as is_corrected,
        declined >= {MIN_PROBABILITY} and declined >= unanswered as is_declined,
        case
            when is_error then true
            when has_answer and answer_text_key is null then false
            when has_answer then unanswered >= {MIN_PROBABILITY} and unanswered > declined
            when answered_share >= {MIN_ANSWERED_SHARE} and ending != '{OPEN}' then true
        end as is_unanswered,
        case
            when user_id is null or subject_topic_id is null then null
            when prompt_at > last_at - interval '{REPEAT_DAYS} days' then null  -- else only those who came back count
            else coalesce(next_at > prompt_at and next_at <= prompt_at + interval '{REPEAT_DAYS} days', false)
        end as is_repeated_later,
        rating <= worst + {BAD_SHARE} * (best - worst) as is_badly_rated
    from decided
)
select *, case
    when ending = '{OPEN}' then null
    when ending != '{ENDED}' or seconds_to_end > $abandoned_seconds then false
    when (is_declined and not coalesce(list_contains(wrong_signals, 'declined'), false)) or is_rephrase or is_objection
        then true
    when has_unknown_prompt or has_unknown_answer then null
    else false
end as is_abandoned
from judged
"""

_MARKED = f"""
select * replace ({
    ", ".join(
        f"case when list_contains(wrong_signals, '{signal}') then false else is_{signal} end as is_{signal}"
        for signal in SIGNALS
    )
})
from ({_DECIDED})
"""

_REASONS = {
    "rephrased": f"""case
        when is_rephrased then case when cosine = 1 and text_key = next_text_key then 'The next prompt is the same.'
            else format('The next prompt says nearly the same: cosine {{:.2f}}, {{:.0f}} % of the words.', cosine,
                shared_words * 100) end
        when is_rephrased is null then case when ending = '{OPEN}' then {_OPEN}
            when text_key is null or next_text_key is null then 'A prompt has no text.'
            else 'The next prompt is in a language without rules.' end end""",
    "corrected": f"""case
        when is_corrected then format('The next prompt objects: probability {{:.2f}}.', corrected)
        when is_corrected is null then case when ending = '{OPEN}' then {_OPEN}
            when next_text_key is null then 'The next prompt has no text.'
            else 'The next prompt is in a language without rules.' end end""",
    "declined": """case
        when is_declined then format('The answer refuses: probability {:.2f}.', declined)
        when is_declined is null then case when not has_answer then 'The prompt has no answer.'
            when answer_text_key is null then 'The text of the answer is not recorded.'
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
        when is_abandoned is null then case when ending = '{OPEN}' then {_OPEN}
            else 'The prompt or the answer is in a language without rules.' end end""",
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

_IS_UNKNOWN = "coalesce(has_unknown_next_prompt, false) or coalesce(has_unknown_answer, false)"

EXCHANGE_SIGNALS = f"""
select exchange_id, {", ".join(f"is_{signal}, {_explain(signal)} as {signal}_reason" for signal in SIGNALS)},
    case when {_ANY} then true when not ({_NONE_DECIDED} or {_IS_UNKNOWN}) then false end as is_struggle,
    case
        when {_ANY} then concat_ws(', ', {_NAMES})
        when {_NONE_DECIDED} then 'No signal could be decided.'
        when {_IS_UNKNOWN} then 'The next prompt or the answer is in a language without rules.'
    end as struggle_reason
from ({_MARKED})
"""
