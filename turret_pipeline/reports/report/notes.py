"""Notes on the answers: what was compared, and why an answer may say little."""

from collections.abc import Iterator, Mapping

import polars as pl

from turret_pipeline.reports.report.changes import count_born
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS
from turret_pipeline.reports.report.words import share_of
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables.exchanges import ANSWER, BY_NAME, FEEDBACK
from turret_pipeline.topics.insights.periods import PeriodPair

ROLE_NAMES = {ANSWER: "answers", FEEDBACK: "feedback"}


def collect_notes(
    data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair]
) -> dict[str, tuple[str, ...]]:
    """Notes of each answer, by its key."""
    topics = tuple(_note_topics(data))
    roles = tuple(_note_roles(data))
    users = tuple(_note_users(data))
    return {
        CHANGED: (*_note_changes(data, labels, pairs), *topics),
        FAILS: (*topics, *users, *roles),
        DIFFERS: (*topics, *users, *_note_scope(data)),
    }


def _note_changes(data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair]) -> Iterator[str]:
    """Sentences about what was compared, and about the topics of the last run."""
    compared = [f"{pair.recent} with {pair.before}" for pair in pairs.values()]
    yield (
        f"Compared: {', and '.join(compared)}."
        if compared
        else ("Nothing can be compared yet: two complete weeks are needed.")
    )
    born = count_born(data, labels) if data.is_later_run else None
    if born:
        yield born


def _note_topics(data: ReportData) -> Iterator[str]:
    """A sentence if topics of a field say little; their note tells why."""
    noted = data.topic_runs.filter(pl.col("note").is_not_null())["field"].unique().sort()
    if len(noted):
        yield f"Topics of {', '.join(noted)} may say little: see the note on them."


def _note_users(data: ReportData) -> Iterator[str]:
    """A sentence if most prompts are of unknown users, whose sessions cannot be known to depend on each other."""
    total = data.exchanges.height
    unknown = data.exchanges["user_id"].null_count()
    if 2 * unknown > total:
        yield (
            f"{share_of(unknown, total, 'prompt')} name no user: if few people have most sessions, chance alone can "
            "cause what stands here."
        )


def _note_roles(data: ReportData) -> Iterator[str]:
    """Sentences if most prompts have no answer, or if events were recognized by nothing but their names."""
    total = data.exchanges.height
    unanswered = data.exchanges.filter(pl.col("answer_count") == 0).height
    if 2 * unanswered > total:
        share = share_of(unanswered, total, "prompt")
        yield f"{share} have no recognized answer: if there are answers, name their events (setting answer_events)."
    for role, noun in ROLE_NAMES.items() if total else ():
        of_role = data.exchange_roles.filter(pl.col("role") == role)
        if of_role.height and (of_role["reason"] == BY_NAME).all():
            names = ", ".join(of_role["event_name"].unique().sort())
            setting = "answer_events" if role == ANSWER else "feedback_events"
            yield f"Events of {noun} were recognized by their names only: {names} (setting {setting})."


def _note_scope(data: ReportData) -> Iterator[str]:
    if data.scope != Scope():
        yield "Moves and outcomes are compared in all data only; for a part, see turret journeys compare."
