"""One session: who, when, and its turns with prompts, answers, subjects, signals and the events between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.reports.conversations import read_answer, read_text
from turret_pipeline.reports.event_texts import read_metadata
from turret_pipeline.reports.exchange_lists import SHOWN_SIGNALS, RowRange
from turret_pipeline.reports.published_tables import ORDER

EVENTS_SHOWN = 20
"""Events between two prompts that are shown."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """A session, its exchanges, its values of enum fields, and the sessions of its user before and after it."""

    row: Row
    exchange_count: int
    values: tuple[tuple[str, str], ...]
    previous_id: str | None
    next_id: str | None


@dataclass(frozen=True)
class Events:
    """Events that are neither a prompt nor its answer: the first ones, and the number of all."""

    rows: list[Row]
    count: int


_NEIGHBOUR = """
select session_id from marts.sessions where user_id = $user and (started_at, session_id) {sign} ($started_at, $session)
order by started_at {order}, session_id {order} limit 1
"""

_TURNS = """
select exchange_id, exchange_number, prompt_event_id, answer_event_id, prompt_at, exchanges.field,
    subject_topic_id as topic_id, label as topic, exchanges.topic_id is distinct from subject_topic_id as is_follow_up,
    rating, model, latency_seconds, cost_usd, input_tokens, output_tokens, is_error, answer_count,
    $min_users <= 1 or coalesce(user_count >= $min_users, false) as is_shown
from (
    from marts.exchanges where session_id = $session and exchange_number > $offset
    and exchange_number <= $offset + $limit
) as exchanges
left join marts.topics on topics.topic_id = subject_topic_id
order by exchange_number
"""

_ANSWERS = """
select event_id, event_at, (
    select list(distinct field order by field) from marts.exchange_roles
    where role = 'answer' and exchange_roles.event_name = events.event_name and field != ''
) as fields
from marts.events where session_id = $session
and event_id in (select answer_event_id from marts.exchanges where session_id = $session)
"""

_SIGNALS = "from marts.exchange_signals where exchange_id in (select unnest($ids::text[]))"

_EVENTS = f"""
with prompts as (select prompt_event_id, answer_event_id from marts.exchanges where session_id = $session),
placed as (
    select event_id, event_name, event_at, row_number() over in_order as position,
        count(*) filter (event_id in (select prompt_event_id from prompts)) over in_order as turn
    from marts.events where session_id = $session
    window in_order as (order by {ORDER} rows unbounded preceding)
),
others as (
    select *, row_number() over (partition by turn order by position) as number, count(*) over (partition by turn) as n
    from placed where turn between $first and $last
    and event_id not in (select prompt_event_id from prompts)
    and event_id not in (select answer_event_id from prompts where answer_event_id is not null)
)
select turn, event_id, event_name, event_at, n from others where number > $offset and number <= $offset + $limit
order by position
"""

_EVENT_TOPICS = """
select event_id, event_topics.field, event_topics.topic_id, label as topic,
    $min_users <= 1 or coalesce(user_count >= $min_users, false) as is_shown
from (from marts.event_topics where event_id in (select unnest($ids::text[]))) as event_topics
left join marts.topics on topics.topic_id = event_topics.topic_id order by event_id, event_topics.field
"""


def read_session(connection: duckdb.DuckDBPyConnection, session_id: str) -> Session | None:
    """The session of this id; None if no session has it."""
    found = connection.sql("from marts.sessions where session_id = $id", params={"id": session_id}).pl()
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    count = connection.execute("select count(*) from marts.exchanges where session_id = ?", [session_id]).fetchall()
    values = connection.execute(
        "select field, value from marts.session_values where session_id = ? order by field", [session_id]
    ).fetchall()
    return Session(row, count[0][0], tuple(values), *(_find_neighbour(connection, row, sign) for sign in "<>"))


def read_turns(
    connection: duckdb.DuckDBPyConnection, session_id: str, turns: RowRange, min_users: int = 1
) -> list[dict[str, Any]]:
    """Some exchanges of a session in order, each with prompt, answer, and ``signals``: pairs of name and reason.

    Texts are null if the topic of the turn has fewer than ``min_users`` users; ``is_shown`` is false then.
    """
    values = {"session": session_id, "limit": turns.limit, "offset": turns.offset, "min_users": min_users}
    frame: pl.DataFrame = connection.sql(_TURNS, params=values).pl()
    answers: pl.DataFrame = connection.sql(_ANSWERS, params={"session": session_id}).pl()
    shown = frame.filter("is_shown")
    prompts = shown.select(pl.col("prompt_event_id").alias("event_id"), pl.col("prompt_at").alias("event_at"))
    shown_answers = answers.filter(pl.col("event_id").is_in(shown["answer_event_id"].implode()))
    metadata = read_metadata(connection, pl.concat([prompts, shown_answers.select("event_id", "event_at")]))
    fields = dict(answers.select("event_id", "fields").iter_rows())
    signals = _read_signals(connection, frame["exchange_id"].to_list())
    return [
        {
            **row,
            "prompt": read_text(metadata.get(row["prompt_event_id"]), row["field"]),
            "answer": read_answer(metadata.get(row["answer_event_id"]), fields.get(row["answer_event_id"])),
            "signals": signals.get(row["exchange_id"], []),
        }
        for row in frame.iter_rows(named=True)
    ]


def read_events(
    connection: duckdb.DuckDBPyConnection,
    session_id: str,
    turns: tuple[int, int],
    min_users: int = 1,
    rows: RowRange = RowRange(EVENTS_SHOWN),  # noqa: B008 - is immutable
) -> dict[int, Events]:
    """The other events after each prompt of the first to the last of ``turns``; those of turn 0 come before all.

    Of each turn, these ``rows``. Each has ``texts``: field, text (null if its topic has too few users) and topic.
    """
    values = {"session": session_id, "first": turns[0], "last": turns[1], "limit": rows.limit, "offset": rows.offset}
    frame: pl.DataFrame = connection.sql(_EVENTS, params=values).pl()
    texts = _read_event_texts(connection, frame, min_users)
    events: dict[int, Events] = {}
    for row in frame.iter_rows(named=True):
        of_turn = events.setdefault(row["turn"], Events([], row["n"]))
        of_turn.rows.append({**row, "texts": texts.get(row["event_id"], [])})
    return events


def _find_neighbour(connection: duckdb.DuckDBPyConnection, row: Row, sign: str) -> str | None:
    """The session of the same user before (<) or after (>) this one."""
    if row["user_id"] is None:
        return None
    sql = _NEIGHBOUR.format(sign=sign, order="desc" if sign == "<" else "asc")
    values = {"user": row["user_id"], "started_at": row["started_at"], "session": row["session_id"]}
    found = connection.execute(sql, values).fetchall()
    return found[0][0] if found else None


def _read_signals(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> dict[str, list[tuple[str, str | None]]]:
    """Signals that are true of each exchange, with their reasons."""
    rows: pl.DataFrame = connection.sql(_SIGNALS, params={"ids": ids}).pl()
    return {
        row["exchange_id"]: [(name, row[f"{name}_reason"]) for name in SHOWN_SIGNALS if row[f"is_{name}"]]
        for row in rows.iter_rows(named=True)
    }


def _read_event_texts(
    connection: duckdb.DuckDBPyConnection, events: pl.DataFrame, min_users: int
) -> dict[str, list[Row]]:
    """Texts of the text fields of each event, with their topics."""
    values = {"ids": events["event_id"].to_list(), "min_users": min_users}
    topics: pl.DataFrame = connection.sql(_EVENT_TOPICS, params=values).pl()
    shown = events.join(topics.filter("is_shown"), on="event_id", how="semi")
    metadata = read_metadata(connection, shown.select("event_id", "event_at"))
    texts: dict[str, list[Row]] = {}
    for row in topics.iter_rows(named=True):
        text = read_text(metadata.get(row["event_id"]), row["field"]) if row["is_shown"] else None
        if text is not None or not row["is_shown"]:
            texts.setdefault(row["event_id"], []).append({**row, "text": text})
    return texts
