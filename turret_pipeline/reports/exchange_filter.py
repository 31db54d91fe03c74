"""Conditions of exchanges, as a person chooses them, and the SQL that selects the exchanges of a scope that fulfil all.

Texts of prompts are in the metadata of events. They are read last, and only for exchanges that the other conditions
leave.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import duckdb

from turret_pipeline.tables.signals import BADLY_RATED, RESOLVED, SIGNALS, STRUGGLE

SIGNAL_NAMES = (*SIGNALS, STRUGGLE, RESOLVED)
"""Signals that exchanges can be selected by."""

SEARCHED = 500_000
"""Exchanges whose prompts a search reads, the newest first: more take longer than half a second."""

SHOWN_TOPICS = "(select topic_id from marts.topics where user_count >= $min_users)"
"""Topics of enough users: texts of other exchanges are not shown, and not searched."""

Rating = Literal["bad", "any"]
NO_TOPIC = "none"
"""In place of a topic's id: the exchanges without one."""

LIMITED = ("latency_seconds", "seconds_to_answer", "cost_usd", "input_tokens", "output_tokens", "rating")
"""Columns of exchanges that can have a limit."""

OPERATORS = {"at_least": ">=", "at_most": "<=", "over": ">", "up_to": "<="}
"""Limits by their names: the first two are of LIMITED, the others of number fields of the prompt."""


@dataclass(frozen=True)
class Limit:
    """A limit of a number: its name in OPERATORS, the column or field, and the value."""

    name: str
    column: str
    value: float


@dataclass(frozen=True)
class ExchangeFilter:
    """Conditions of exchanges; one that is None or false selects all.

    ``topic_id`` is the subject, with follow-ups, or with ``is_own`` the topic of the prompt's own text; NO_TOPIC
    selects those without one. ``field`` is the text field of the prompt. ``value`` is an enum field and the value that
    was known when the prompt was sent, or else that of the answer. ``since`` and ``until`` are the first moment of a
    day or week, and the first one after it.
    """

    topic_id: str | None = None
    is_own: bool = False
    field: str | None = None
    theme: str | None = None
    signal: str | None = None
    model: str | None = None
    rating: Rating | None = None
    is_error: bool | None = None
    is_resolved: bool | None = None
    ending: str | None = None
    value: tuple[str, str] | None = None
    limits: tuple[Limit, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    user_id: str | None = None
    search: str | None = None


@dataclass(frozen=True)
class Selection:
    """A query of exchanges with its parameters."""

    sql: str
    values: Mapping[str, object]


def select_exchanges(conditions: ExchangeFilter, table: str = "scoped_exchanges") -> Selection:
    """The query of the exchanges of a table that fulfil all conditions but the search for a text."""
    parts, values = ["true"], dict[str, object]()
    tests = {
        f"coalesce({'topic_id' if conditions.is_own else 'subject_topic_id'}, '{NO_TOPIC}') = $topic": (
            "topic",
            conditions.topic_id,
        ),
        "field = $field": ("field", conditions.field),
        "ending = $ending": ("ending", conditions.ending),
        "subject_topic_id in (select topic_id from marts.topics where theme_label = $theme)": (
            "theme",
            conditions.theme,
        ),
        "model = $model": ("model", conditions.model),
        "user_id = $user": ("user", conditions.user_id),
        "prompt_at >= $day_start": ("day_start", conditions.since),
        "prompt_at < $day_end": ("day_end", conditions.until),
    }
    for sql, (name, value) in tests.items():
        if value is not None:
            parts.append(sql)
            values[name] = value
    if conditions.is_error is not None:
        parts.append(f"coalesce(is_error, false) = {conditions.is_error}")
    if conditions.is_resolved is not None:
        parts.append(f"{_OF_SIGNALS} is_resolved = {conditions.is_resolved})")
    parts += _list_values(conditions, values)
    parts += ["rating is not null"] if conditions.rating == "any" else []
    for signal in {conditions.signal, BADLY_RATED if conditions.rating == "bad" else None} - {None}:
        assert signal in SIGNAL_NAMES
        parts.append(f"{_OF_SIGNALS} is_{signal})")
    return Selection(f"select * from {table} where {' and '.join(parts)}", values)


def _list_values(conditions: ExchangeFilter, values: dict[str, object]) -> Iterator[str]:
    """Conditions on values and numbers; their parameters are added to ``values``."""
    if conditions.value is not None:
        values |= dict(zip(("value_field", "value"), conditions.value, strict=True))
        yield _HAS_VALUE
    for number, limit in enumerate(conditions.limits):
        values[f"limit{number}"] = limit.value
        test = f"{OPERATORS[limit.name]} $limit{number}"
        if limit.name in {"over", "up_to"}:
            values[f"limit_field{number}"] = limit.column
            yield (
                f"exchange_id in (select exchange_id from marts.exchange_values where side = 'prompt' "
                f"and field = $limit_field{number} and isfinite(number_value) and number_value {test})"
            )
        else:
            assert limit.column in LIMITED
            yield f"isfinite({limit.column}) and {limit.column} {test}"


_OF_SIGNALS = "exchange_id in (select exchange_id from marts.exchange_signals where"
_HAS_VALUE = """
exchange_id in (
    select exchange_id from marts.exchange_values
    where field = $value_field and text_value is not null and side != 'feedback'
    group by exchange_id having min_by(text_value, side != 'prompt') = $value
)
"""
"""The value of an exchange as the report takes it: that of the prompt, or else of the answer."""


def find_exchanges(
    connection: duckdb.DuckDBPyConnection, conditions: ExchangeFilter, min_users: int, table: str = "scoped_exchanges"
) -> Selection:
    """The query of the exchanges that fulfil all conditions; those with the text sought are in a temporary table.

    A search finds prompts that contain the text, in upper or lower case, among the newest SEARCHED exchanges that the
    other conditions leave, and not in texts that may not be shown.
    """
    others = select_exchanges(replace(conditions, search=None), table)
    if conditions.search is None:
        return others
    is_shown = f"where subject_topic_id in {SHOWN_TOPICS}" if min_users > 1 else ""
    connection.execute(
        f"create or replace temp table searched_exchanges as select exchange_id, prompt_event_id, prompt_at, field "
        f"from ({others.sql}) {is_shown} order by prompt_at desc, exchange_id limit {SEARCHED}",
        {**others.values, **({"min_users": min_users} if is_shown else {})},
    )
    connection.execute(_FIND_TEXT, _text_values(conditions.search))
    return Selection(f"from {table} where exchange_id in (select exchange_id from found_exchanges)", {})


_POINTER = "'/' || replace(replace(searched_exchanges.field, '~', '~0'), '/', '~1')"
_NESTED = "'/' || replace(replace(replace(searched_exchanges.field, '~', '~0'), '/', '~1'), '.', '/')"
_FIND_TEXT = f"""
create or replace temp table found_exchanges as
with bounds as (select min(prompt_at) as first_at, max(prompt_at) as last_at from searched_exchanges),
candidates as (
    select event_id, metadata from marts.events
    where event_at >= (select first_at from bounds) and event_at <= (select last_at from bounds)
    and contains(lower(metadata), lower($needle))
)
select exchange_id from searched_exchanges join candidates on event_id = prompt_event_id
where contains(
    lower(coalesce(json_extract_string(metadata, {_POINTER}), json_extract_string(metadata, {_NESTED}))), lower($text)
)
"""


def _text_values(search: str) -> dict[str, object]:
    """The text sought, and the same as it is written within JSON."""
    return {"needle": json.dumps(search, ensure_ascii=False)[1:-1], "text": search}
