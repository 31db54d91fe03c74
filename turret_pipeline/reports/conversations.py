"""Conversations about a topic: the sessions that show it best or were rated worst, with their prompts and answers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables

_SESSIONS = """
with about as (
    select exchanges.*, subject_topic_id is not distinct from $topic as is_about,
        case when exchanges.topic_id = $topic then similarity end as similarity,
        exchanges.topic_id != $topic
        and exchanges.topic_id in (select topic_id from marts.topics where role = 'subject') as is_other
    from marts.exchanges
    left join marts.event_topics on event_id = prompt_event_id and event_topics.field = exchanges.field
    where session_id in (select session_id from marts.exchanges where subject_topic_id = $topic)
)
select session_id, any_value(user_id) as user_id, min(prompt_at) as started_at, count(*) as exchange_count,
    count(*) filter (is_about) as about_count, avg(similarity) as similarity, min(rating) filter (is_about) as rating,
    about_count > 1 and not coalesce(bool_or(is_about and is_other), false) as is_clear
from about group by session_id
"""

_BEST = "where 2 * about_count > exchange_count and similarity is not null"
_BEST_FIRST = "is_clear desc, similarity desc, about_count desc, started_at, session_id"
_WORST = "where rating is not null"
_WORST_FIRST = f"rating, coalesce(similarity, 0) desc, {_BEST_FIRST}"

_EXCHANGES = """
select exchanges.session_id, exchange_number, prompt_at, exchanges.field,
    subject_topic_id is not distinct from $topic as is_about, rating, model,
    prompts.metadata as prompt_metadata, answers.metadata as answer_metadata,
    (select list(distinct field order by field) from marts.exchange_roles
        where role = 'answer' and event_name = answers.event_name and field != '') as answer_fields
from marts.exchanges
join marts.events as prompts on prompts.event_id = prompt_event_id
left join marts.events as answers on answers.event_id = answer_event_id
where list_contains($sessions, exchanges.session_id)
order by exchanges.session_id, exchange_number
"""

_ANSWER_FIELDS = ("generation", "answer", "response")
"""Fields with the text of an answer whose event has the role by its name alone."""

Conversation = Mapping[str, Any]


def find_conversations(published: PublishedTables, topic_id: str, count: int, *, is_worst: bool) -> list[Conversation]:
    """At most ``count`` sessions with exchanges about a topic, each of another user, best first, with all exchanges.

    Best are sessions in which most exchanges are about the topic, and the own texts of these are nearest to its
    centroid; sessions come last with a single such exchange, or with one whose own text is about another subject. With
    ``is_worst``, sessions come first whose exchanges about it have the lowest rating. With a privacy threshold, texts
    of other exchanges are null.
    """
    where, order = (_WORST, _WORST_FIRST) if is_worst else (_BEST, _BEST_FIRST)
    person = "coalesce('user ' || user_id, 'session ' || session_id)"
    first = f"row_number() over (partition by {person} order by {order}) = 1"
    sql = f"select * exclude (is_clear) from ({_SESSIONS}) {where} qualify {first} order by {order} limit $count"
    with published.open() as connection:
        sessions: pl.DataFrame = connection.sql(sql, params={"topic": topic_id, "count": count}).pl()
        values = {"topic": topic_id, "sessions": sessions["session_id"].to_list()}
        found: pl.DataFrame = connection.sql(_EXCHANGES, params=values).pl()
    exchanges: dict[str, list[Conversation]] = {}
    for row in found.iter_rows(named=True):
        has_texts = row["is_about"] or published.min_users <= 1  # others may be about a topic of too few users
        exchanges.setdefault(row["session_id"], []).append(_read_exchange(row, has_texts=has_texts))
    return [{**session, "exchanges": exchanges[session["session_id"]]} for session in sessions.iter_rows(named=True)]


def has_prompts(published: PublishedTables, field: str) -> bool:
    """True if any prompt is in the text field: only such fields have conversations."""
    return bool(published.query("select count(*) > 0 from marts.exchanges where field = ?", field).item())


def _read_exchange(row: Mapping[str, Any], *, has_texts: bool) -> dict[str, Any]:
    """The exchange with the texts of its prompt and its answer, null where there is none or without ``has_texts``."""
    answer = read_answer(row["answer_metadata"], row["answer_fields"])
    return {
        "exchange_number": row["exchange_number"],
        "prompt_at": row["prompt_at"],
        "is_about_topic": row["is_about"],
        "prompt": read_text(row["prompt_metadata"], row["field"]) if has_texts else None,
        "answer": answer if has_texts else None,
        "rating": row["rating"],
        "model": row["model"],
    }


def read_answer(metadata: str | None, fields: Sequence[str] | None) -> str | None:
    """The text of an answer: in the fields that give its event the role, or else in those named like an answer."""
    texts = (read_text(metadata, field) for field in dict.fromkeys((*(fields or ()), *_ANSWER_FIELDS)))
    return next((text for text in texts if text), None)


def read_text(metadata: str | None, field: str) -> str | None:
    """The text of a field in the metadata, by its name or by its path if it is nested."""
    values = json.loads(metadata) if metadata else {}
    value = values.get(field)
    if value is None:
        value = values
        for key in field.split("."):
            value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value.strip() else None
