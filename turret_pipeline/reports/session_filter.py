"""Conditions of sessions, as a person chooses them, and the SQL that selects the sessions that fulfil all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import duckdb

from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.activity import choose_unit
from turret_pipeline.reports.exchange_filter import ExchangeFilter, Selection, find_exchanges
from turret_pipeline.reports.node_numbers import number_of, quote
from turret_pipeline.reports.published_tables import ORDER
from turret_pipeline.tables import END, OTHER, START, STRUGGLE_OUTCOME, USER

PATH_SEPARATOR = ">"


@dataclass(frozen=True)
class SessionFilter:
    """Conditions of sessions: those of journeys, and exchanges that they must have.

    ``paths`` are nodes that follow each other in the dimension, each from START or to END if these are in it. With an
    ``outcome``, events of this name follow the first visit to the topic ``outcome_topic_id``, if that is not None.
    ``text_topic_id`` is a topic of texts that are no prompts.
    """

    dimension: str = ""
    paths: tuple[tuple[str, ...], ...] = ()
    outcome: str | None = None
    outcome_topic_id: str | None = None
    text_topic_id: str | None = None
    exchanges: ExchangeFilter = field(default_factory=ExchangeFilter)

    @property
    def is_of_journeys(self) -> bool:
        """True if a range of days selects the sessions that start in it, else those with an exchange in it."""
        return bool(self.paths) or self.outcome is not None


def find_sessions(connection: duckdb.DuckDBPyConnection, conditions: SessionFilter, min_users: int) -> Selection:
    """The query of the sessions of the scope of a connection that fulfil all conditions."""
    parts, values = ["true"], dict[str, object]()
    for number, path in enumerate(conditions.paths):
        parts.append(_follow_path(path, number, conditions.dimension))
    if conditions.outcome is not None:
        parts.append(_find_outcome(conditions, values))
    sessions, exchanges = (
        ("scoped_sessions", "marts.exchanges")
        if conditions.is_of_journeys
        else (
            "marts.sessions",
            "scoped_exchanges",
        )
    )
    if conditions.exchanges != ExchangeFilter():
        found = find_exchanges(connection, conditions.exchanges, min_users, exchanges)
        parts.append(f"session_id in (select session_id from ({found.sql}))")
        values |= found.values
    if conditions.text_topic_id is not None:
        events = "marts.events" if conditions.is_of_journeys else "scoped_events"
        parts.append(
            f"session_id in (select session_id from {events} where event_id in (select event_id "
            "from marts.event_topics where coalesce(continues_topic_id, topic_id) = $text_topic))"
        )
        values["text_topic"] = conditions.text_topic_id
    if len(parts) == 1:
        parts.append(f"session_id in (select session_id from scoped_{choose_unit(connection)}s)")
    return Selection(f"select * from {sessions} where {' and '.join(parts)}", values)


def split_path(text: str, nodes: Collection[str]) -> tuple[str, ...]:
    """The nodes of a path such as "A>B>C"; a node may contain the separator. Raises TurretError if one is unknown."""
    known = {*nodes, START, END}
    parts = text.split(PATH_SEPARATOR)
    path: list[str] = []
    while parts:
        ends = [end for end in range(len(parts), 0, -1) if PATH_SEPARATOR.join(parts[:end]) in known]
        if not ends:
            check_node(PATH_SEPARATOR.join(parts), nodes)
        path.append(PATH_SEPARATOR.join(parts[: ends[0]]))
        parts = parts[ends[0] :]
    return tuple(path)


def check_node(node: str, nodes: Collection[str]) -> None:
    """Raise TurretError if the node is not one of the dimension's, nor the start or the end of a session."""
    if node == OTHER:
        raise TurretError(f"{OTHER} stands for transitions of too few users, which cannot be listed.")
    if node not in nodes and node not in {START, END}:
        raise TurretError(f"Unknown node {node!r} of this dimension. Some of its nodes: {list_names(sorted(nodes))}.")


def _follow_path(path: Sequence[str], number: int, dimension: str) -> str:
    """SQL: the session has the steps of the path one after another. A node that follows itself is one longer step."""
    nodes = [(node, len(list(same))) for node, same in groupby(path) if node not in {START, END}]
    if not nodes or START in path[1:] or END in path[:-1]:
        raise TurretError(f"Invalid path {PATH_SEPARATOR.join(path)!r}: it needs a node between the start and the end.")
    tables, parts, last = [], [], len(nodes) - 1
    for place, (node, events) in enumerate(nodes):
        if place and place == last and events == 1 and path[-1] != END:
            continue  # it is the next node of the step before
        name, before = f"p{number}_{place}", f"p{number}_{place - 1}"
        tables.append(f"numbered.steps as {name}")
        parts.append(f"{name}.dimension = {quote(dimension)} and {name}.node = {number_of(node)}")
        parts += [f"{name}.event_count >= {events}"] if events > 1 else []
        if place:
            parts.append(f"{name}.sequence = {before}.sequence and {name}.step_number = {before}.step_number + 1")
        if place < last:
            parts.append(f"{name}.next_node = {number_of(nodes[place + 1][0])}")
    parts += [f"p{number}_0.step_number = 1"] if path[0] == START else []
    parts += [f"p{number}_{last}.next_node is null"] if path[-1] == END else []
    found = f"select p{number}_0.sequence from {', '.join(tables)} where {' and '.join(parts)}"
    if dimension.startswith(USER):
        return f"user_id in (select user_id from numbered.users where user_number in ({found}))"
    return f"session_number in ({found})"


_OF_EVENTS = "select session_id, {order} as place from marts.events where event_name = $outcome"
_OF_STRUGGLES = """
select session_id, {order} as place from marts.events where event_id in (
    select prompt_event_id from marts.exchanges
    where exchange_id in (select exchange_id from marts.exchange_signals where is_struggle)
)
"""


def _find_outcome(conditions: SessionFilter, values: dict[str, object]) -> str:
    """SQL: the outcome occurs in the session, after its first visit to the topic if one is given."""
    is_struggle = conditions.outcome == STRUGGLE_OUTCOME
    outcomes = (_OF_STRUGGLES if is_struggle else _OF_EVENTS).format(order=ORDER)
    if not is_struggle:
        values["outcome"] = conditions.outcome
    if conditions.outcome_topic_id is None:
        return f"session_id in (select session_id from ({outcomes}))"
    values["outcome_topic"] = conditions.outcome_topic_id
    return f"""session_id in (
        select session_id from ({outcomes}) join (
            select session_id, min({ORDER}) as first_place from marts.events where event_id in (
                select event_id from marts.event_topics
                where coalesce(continues_topic_id, topic_id) = $outcome_topic
            ) group by session_id
        ) using (session_id) where place > first_place
    )"""
