"""Conditions of lists of sessions: read from the URL, and described in words, each with the URL without it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from turret_pipeline.dashboard.list_conditions import (
    Condition,
    describe_exchange_filter,
    find_label,
    holds_prompts,
    read_exchange_filter,
)
from turret_pipeline.dashboard.page import Page
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.session_filter import PATH_SEPARATOR, SessionFilter, check_node, split_path
from turret_pipeline.tables import END, EVENT_NAME, START, STRUGGLE_OUTCOME

JOURNEY_PARAMETERS = ("node", "from", "to", "start", "end", "path")


@dataclass(frozen=True)
class SessionConditions:
    """The conditions of sessions in a URL, and each in words."""

    conditions: SessionFilter
    words: tuple[Condition, ...]


def read_session_conditions(page: Page, dimension: str) -> SessionConditions:
    """The conditions in the URL; nodes are those of the dimension. Raises TurretError if one is invalid."""
    exchanges = read_exchange_filter(page)
    topic, outcome = page.state.get("topic"), page.state.get("outcome")
    if outcome:
        events = [*_read_labels(page, EVENT_NAME), STRUGGLE_OUTCOME]
        if outcome not in events:
            raise TurretError(f"Unknown outcome {outcome!r}: use an event name: {list_names(events)}.")
    conditions = SessionFilter(dimension, tuple(path for path, _ in _read_paths(page, dimension)), outcome or None)
    is_text = bool(topic) and not holds_prompts(page, topic)
    if topic and (outcome or is_text):
        exchanges = replace(exchanges, topic_id=None, is_own=False)
        name = "outcome_topic_id" if outcome else "text_topic_id"
        conditions = replace(conditions, **{name: topic})  # type: ignore[arg-type]
    words = [*_describe_journey(page, dimension), *_describe_others(page, outcome, topic)]
    return SessionConditions(replace(conditions, exchanges=exchanges), tuple(words))


def _read_paths(page: Page, dimension: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The nodes that must follow each other, and the parameter that says so."""
    nodes, get = _read_labels(page, dimension), page.state.get
    if bool(get("from")) != bool(get("to")):
        raise TurretError("A transition needs two nodes: give both from and to.")
    for name in JOURNEY_PARAMETERS:
        if name != "path" and get(name):
            check_node(get(name), nodes)
    if node := get("node"):
        yield (node,), "node"
    if get("from"):
        yield (get("from"), get("to")), "from"
    if start := get("start"):
        yield (START, start), "start"
    if end := get("end"):
        yield (end, END), "end"
    if path := get("path"):
        yield split_path(path, nodes), "path"


def _describe_journey(page: Page, dimension: str) -> Iterator[Condition]:
    labels = _read_labels(page, dimension)
    forms = {
        "node": "that visit {}",
        "from": "in which {} directly follows {}",
        "start": "that start with {}",
        "end": "that end with {}",
        "path": "with {}",
    }
    for path, name in _read_paths(page, dimension):
        names = [labels.get(node, node) for node in path if name == "path" or node not in {START, END}]
        if name == "from":
            words = forms[name].format(*(labels.get(node, node) for node in reversed(path)))
        else:
            words = forms[name].format(f" {PATH_SEPARATOR} ".join(names))
        removed = ("from", "to") if name == "from" else (name,)
        yield Condition(words, page.state.change(**dict.fromkeys(removed)))


def _describe_others(page: Page, outcome: str, topic: str) -> Iterator[Condition]:
    if outcome:
        event = "an exchange that seems to go wrong" if outcome == STRUGGLE_OUTCOME else outcome
        after = f" after {find_label(page, topic)}" if topic else ""
        yield Condition(f"with {event}{after}", page.state.change(outcome=None))
    skipped = {"topic"} if outcome else set[str]()  # it is part of the condition above
    yield from describe_exchange_filter(page, "with an exchange ", skipped)


def _read_labels(page: Page, dimension: str) -> Mapping[str, str]:
    """Labels of the nodes of a dimension, by node."""
    return page.published.remember(("labels", dimension), lambda: page.published.labels(dimension))
