"""Conditions of exchanges: read from the URL, and described in words, each with the URL without it."""

import datetime as dt
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from turret_pipeline.dashboard.page import Page
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.exchange_filter import (
    LIMITED,
    NO_TOPIC,
    OPERATORS,
    SIGNAL_NAMES,
    ExchangeFilter,
    Limit,
    Rating,
)
from turret_pipeline.reports.scope import parse_segment
from turret_pipeline.tables.exchanges import CONTINUED, ENDED, OPEN

EXCHANGE_PARAMETERS = (
    "topic", "own", "theme", "signal", "model", "rating", "error", "resolved", "ending", "value", *OPERATORS, "day",
    "week", "user", "search",
)  # fmt: skip
SIGNAL_WORDS = {
    "rephrased": "rephrased by the next prompt",
    "corrected": "corrected by the next prompt",
    "declined": "declined",
    "unanswered": "not answered",
    "abandoned": "abandoned after it",
    "repeated_later": "asked again in a later session",
    "badly_rated": "badly rated",
    "struggle": "with a sign of struggle",
    "resolved": "resolved",
}
MAX_SEARCH = 200
"""Characters of a text to search for."""


@dataclass(frozen=True)
class Condition:
    """A condition in words, and the URL of the page without it."""

    words: str
    url: str


def read_exchange_filter(page: Page) -> ExchangeFilter:
    """The conditions of exchanges in the URL. Raises TurretError if one is invalid."""
    get = page.state.get
    topic, signal, rating = get("topic"), get("signal"), get("rating")
    if topic:
        find_label(page, topic)
    if get("own") and not topic:
        raise TurretError("own=1 needs a topic: add topic=ID.")
    _check_choice("signal", signal, SIGNAL_NAMES)
    _check_choice("rating", rating, ("bad", "any"))
    _check_choice("own", get("own"), ("1",))
    for name in ("error", "resolved"):
        _check_choice(name, get(name), ("0", "1"))
    _check_choice("ending", get("ending"), (CONTINUED, ENDED, OPEN))
    if len(get("search")) > MAX_SEARCH:
        raise TurretError(f"The text to search for has more than {MAX_SEARCH} characters: shorten it.")
    since, until = read_days(page)
    return ExchangeFilter(
        topic_id=topic or None,
        is_own=bool(get("own")),
        field=page.state.dimension or None if topic == NO_TOPIC else None,
        theme=get("theme") or None,
        signal=signal or None,
        model=get("model") or None,
        rating=cast("Rating", rating) if rating else None,
        is_error=_read_flag(page, "error"),
        is_resolved=_read_flag(page, "resolved"),
        ending=get("ending") or None,
        value=parse_segment(get("value")) if get("value") else None,
        limits=tuple(_read_limits(page)),
        since=since,
        until=until,
        user_id=get("user") or None,
        search=get("search") or None,
    )


def describe_exchange_filter(page: Page, before: str = "", skipped: Collection[str] = ()) -> Iterator[Condition]:
    """The conditions of exchanges in the URL without some, each in words after ``before``."""
    get = page.state.get
    words: dict[str, str] = {}
    if topic := get("topic"):
        words["topic"] = describe_topic(page, topic, is_own=bool(get("own")))
    words |= {name: f"{text} {get(name)}" for name, text in _WORDS.items() if get(name)}
    if signal := get("signal"):
        words["signal"] = SIGNAL_WORDS[signal]
    if rating := get("rating"):
        words["rating"] = "rated badly" if rating == "bad" else "with a rating"
    words |= {name: of_value[get(name)] for name, of_value in _FLAG_WORDS.items() if get(name)}
    if get("value"):
        words["value"] = "with {} = {}".format(*parse_segment(get("value")))
    for limit in _read_limits(page):
        column = limit.column.replace("_", " ") if limit.column in LIMITED else limit.column
        words[limit.name] = f"with {column} {limit.name.replace('_', ' ')} {limit.value:g}"
    if search := get("search"):
        words["search"] = f"with “{search}” in the prompt"
    for name, text in words.items():
        removed = {"topic": None, "own": None} if name == "topic" else {name: None}
        if name not in skipped:
            yield Condition(before + text, page.state.change(**removed))


_FLAG_WORDS = {
    "error": {"1": "with an error", "0": "without an error"},
    "resolved": {"1": "that are resolved", "0": "that are not resolved"},
    "ending": {
        ENDED: "that are the last of their session",
        CONTINUED: "after which their session goes on",
        OPEN: "whose session may still go on",
    },
}
_WORDS = {"theme": "in the theme", "model": "answered by", "day": "on", "week": "in the week from", "user": "of user"}


def exchange_parameters(page: Page) -> dict[str, str]:
    """The conditions of exchanges in the URL, as the parameters of another list."""
    return {name: page.state.get(name) for name in EXCHANGE_PARAMETERS if page.state.get(name)}


def describe_topic(page: Page, topic_id: str, *, is_own: bool = False) -> str:
    """The condition that exchanges or texts are about a topic, in words. Raises TurretError if no topic has the id."""
    if topic_id == NO_TOPIC:
        return "without a topic"
    label = find_label(page, topic_id)
    return f"with their own text about {label}" if is_own else f"about {label}"


def find_label(page: Page, topic_id: str) -> str:
    """Label of a topic, or words for none. Raises TurretError if no topic has the id."""
    if topic_id == NO_TOPIC:
        return "no topic"
    labels = read_topics(page)
    if topic_id not in labels:
        raise TurretError(f"Unknown topic {topic_id!r}: open it from the list of topics.")
    return labels[topic_id][0]


def read_topics(page: Page) -> dict[str, tuple[str, str]]:
    """Label and field of each topic, by id."""
    sql = "select topic_id, label, field from marts.topics"
    return page.published.remember(
        "topics of lists", lambda: {one: (label, field) for one, label, field in page.published.query(sql).iter_rows()}
    )


def holds_prompts(page: Page, topic_id: str) -> bool:
    """True if the texts of the topic are prompts."""
    sql = "select distinct field from marts.exchange_roles where role = 'prompt'"
    return topic_id == NO_TOPIC or read_topics(page)[topic_id][1] in query_names(page, sql)


def query_names(page: Page, sql: str) -> list[str]:
    """The texts of the first column of a query, which is asked once per publication."""
    return page.published.remember(sql, lambda: page.published.query(sql).to_series().to_list())


def _read_flag(page: Page, name: str) -> bool | None:
    return page.state.get(name) == "1" if page.state.get(name) else None


def _read_limits(page: Page) -> Iterator[Limit]:
    """The limits of numbers in the URL, such as at_least=latency_seconds:3.5. Raises TurretError if one is invalid."""
    for name in OPERATORS:
        text = page.state.get(name)
        column, _, number = text.rpartition(":")
        if not text:
            continue
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not column or not math.isfinite(value):
            raise TurretError(f"Invalid {name} {text!r}: use COLUMN:NUMBER, for example latency_seconds:3.5.")
        if name in {"at_least", "at_most"}:
            _check_choice(f"column of {name}", column, LIMITED)
        yield Limit(name, column, value)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value and value not in choices:
        raise TurretError(f"Invalid {name} {value!r}: use {list_names(choices)}.")


def read_days(page: Page) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The first moment of the day or week in the URL, and the first one after it, in the project's time zone."""
    day, week = page.state.get("day"), page.state.get("week")
    if day and week:
        raise TurretError("Both day and week are given: use one of them.")
    text = day or week
    if not text:
        return None, None
    zone = ZoneInfo(page.project.settings.time_zone)
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        first = dt.date.fromisoformat(text)
        limits = (first, first + dt.timedelta(days=1 if day else 7))
        since, until = (dt.datetime.combine(one, dt.time(), zone).astimezone(dt.UTC) for one in limits)
    except (ValueError, OverflowError):
        name = "day" if day else "week"
        raise TurretError(f"Invalid {name} {text!r}: use a day such as 2026-03-01.") from None
    return since, until
