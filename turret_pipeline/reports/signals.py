"""Signals of quality for people: how often each was found, how right it is, and the exchanges that have it."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from turret_pipeline.reports.conversations import read_answer, read_text
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables.signals import HELD_BACK_PRECISION, SIGNALS, STRUGGLE

_COUNTS = "select " + ", ".join(
    f"count(is_{name}) as {name}_decided, count(*) filter (is_{name}) as {name}_found" for name in (*SIGNALS, STRUGGLE)
)

_EXAMPLES = """
with numbered as (
    select exchanges.*, lead(prompt_event_id) over session as next_event_id, lead(field) over session as next_field,
        lead(subject_topic_id) over session as next_topic_id
    from marts.exchanges window session as (partition by session_id order by exchange_number)
)
select exchange_id, numbered.session_id, prompt_at, subject_topic_id as topic_id, label as topic,
    {signal}_reason as reason, numbered.field, prompts.metadata as prompt_metadata, answers.metadata as answer_metadata,
    nexts.metadata as next_metadata, next_field, next_topic_id,
    (select list(distinct field order by field) from marts.exchange_roles
        where role = 'answer' and event_name = answers.event_name and field != '') as answer_fields
from numbered
join marts.exchange_signals using (exchange_id)
left join marts.topics on topics.topic_id = subject_topic_id
join marts.events as prompts on prompts.event_id = prompt_event_id
left join marts.events as answers on answers.event_id = answer_event_id
left join marts.events as nexts on nexts.event_id = next_event_id
where is_{signal} and ($topic is null or subject_topic_id = $topic)
order by prompt_at desc, exchange_id
limit $count
"""


def count_signals(published: PublishedTables, marks: pl.DataFrame) -> pl.DataFrame:
    """A row per signal: exchanges with it, those in which it could be decided, and its precision.

    The precision is measured on exchanges that people read: those held back when the rules were written, and those
    marked in this project (``marks``). ``judged_count`` are both, and precision_low and precision_high the ends of the
    95 % interval of Wilson.
    """
    counts = published.query(f"{_COUNTS} from marts.exchange_signals").row(0, named=True)
    rows = []
    for name in (*SIGNALS, STRUGGLE):
        found, right = HELD_BACK_PRECISION.get(name, (0, 0))
        marked = marks.filter(pl.col("signal") == name)
        judged, correct = found + marked.height, right + int(marked["is_right"].sum())
        low, high = share_interval([correct], [judged]) if judged else ([None], [None])
        rows.append(
            {
                "signal": name,
                "exchange_count": counts[f"{name}_found"],
                "decided_count": counts[f"{name}_decided"],
                "judged_count": judged,
                "precision": correct / judged if judged else None,
                "precision_low": None if low[0] is None else float(low[0]),
                "precision_high": None if high[0] is None else float(high[0]),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def find_exchanges_with(
    published: PublishedTables, signal: str, topic_id: str | None, count: int
) -> list[Mapping[str, Any]]:
    """The latest exchanges with a signal, with reason, prompt, answer and next prompt.

    With a privacy threshold, texts of prompts that have no published topic are null.
    """
    with published.open() as connection:
        values = {"topic": topic_id, "count": count}
        rows: pl.DataFrame = connection.sql(_EXAMPLES.format(signal=signal), params=values).pl()
    return [_read_example(row, published.min_users) for row in rows.iter_rows(named=True)]


def _read_example(row: Mapping[str, Any], min_users: int) -> dict[str, Any]:
    is_shown, is_next_shown = (min_users <= 1 or row[name] is not None for name in ("topic_id", "next_topic_id"))
    next_prompt = read_text(row["next_metadata"], row["next_field"]) if row["next_field"] else None
    return {
        **{name: row[name] for name in ("exchange_id", "session_id", "prompt_at", "topic_id", "topic", "reason")},
        "prompt": read_text(row["prompt_metadata"], row["field"]) if is_shown else None,
        "answer": read_answer(row["answer_metadata"], row["answer_fields"]) if is_shown else None,
        "next_prompt": next_prompt if is_next_shown else None,
    }
