"""Notes on the answers: what was compared, and why an answer may say little."""

from collections.abc import Iterator, Mapping

import polars as pl

from turret_pipeline.reports.report.changes import count_born
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.family import Family
from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, TALK, TITLES
from turret_pipeline.reports.report.words import plural, share_of
from turret_pipeline.reports.scope import Scope
from turret_pipeline.stats.groups import MIN_EVENTS
from turret_pipeline.tables.exchanges import ANSWER, BY_NAME, FEEDBACK, PROMPT
from turret_pipeline.topics.insights.periods import PeriodPair

ROLE_NAMES = {ANSWER: "answers", FEEDBACK: "feedback"}


def explain_nothing(data: ReportData, pairs: Mapping[str, PeriodPair]) -> dict[str, str]:
    """A sentence for each answer, by its key, that says why it has nothing to tell, if nothing was compared."""
    if not data.session_count:
        return dict.fromkeys(TITLES, "No events in this part of the data." if data.scope != Scope() else "No events.")
    texts = data.occurrences.height
    return {
        TALK: f"No topics to show in {plural(texts, 'text')}." if texts else "No texts.",
        CHANGED: f"Nothing could be compared: {_explain_weeks(data, pairs)}.",
        FAILS: f"Nothing could be compared: {_explain_failures(data)}.",
        DIFFERS: f"Nothing could be compared: {_explain_segments(data)}.",
    }


def _explain_weeks(data: ReportData, pairs: Mapping[str, PeriodPair]) -> str:
    if data.occurrences.is_empty():
        return "the events have no texts"
    if not data.occurrences["topic_id"].count():
        return "no topics are shown"
    if not pairs:
        return "two complete weeks of data are needed"
    longest = max(pairs.values(), key=lambda one: one.recent.days)
    return f"no topic has enough events and users in {longest.recent} and {longest.before}"


def _explain_failures(data: ReportData) -> str:
    if data.exchanges.is_empty():
        return _explain_prompts(data)
    topics = data.exchanges["subject_topic_id"].drop_nulls().n_unique()
    if topics < 2:
        return "the prompts have only one topic to show" if topics else "the prompts have no topics to show"
    return f"topics have too few prompts or users, or fewer than {MIN_EVENTS} prompts fail"


def _explain_segments(data: ReportData) -> str:
    if data.exchanges.is_empty():
        return _explain_prompts(data)
    return "no field of prompts or answers has two values with enough exchanges and users"


def _explain_prompts(data: ReportData) -> str:
    is_recognized = (data.exchange_roles["role"] == PROMPT).any()
    return "these sessions have no prompts" if is_recognized else "no prompts were recognized (table exchange_roles)"


def collect_notes(
    data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair], changes: Family
) -> dict[str, tuple[str, ...]]:
    """Notes of each answer, by its key; none without sessions. ``changes`` are the comparisons of the pairs."""
    if not data.session_count:
        return {}
    topics = tuple(_note_topics(data))
    own, roles = tuple(_note_own_texts(data)), tuple(_note_roles(data))
    users = tuple(_note_users(data))
    return {
        CHANGED: (*_note_weeks(data, pairs, changes), *_note_born(data, labels), *own, *topics),
        FAILS: (*topics, *users, *roles),
        DIFFERS: (*own, *topics, *users, *_note_scope(data)),
    }


def _note_weeks(data: ReportData, pairs: Mapping[str, PeriodPair], changes: Family) -> Iterator[str]:
    """A sentence about the weeks that were compared; if none, but other rows were, why."""
    by_pair = zip(pairs.values(), changes.parts, strict=False)  # parts with the last run follow those of the pairs
    compared = [f"{pair.recent} with {pair.before}" for pair, part in by_pair if part.rows.height]
    if compared:
        yield f"Compared: {', and '.join(compared)}."
    elif any(part.rows.height for part in changes.parts):
        yield f"Weeks could not be compared: {_explain_weeks(data, pairs)}."


def _note_born(data: ReportData, labels: Mapping[str, str]) -> Iterator[str]:
    """A sentence about the topics that the last run found."""
    born = count_born(data, labels) if data.is_later_run else None
    if born:
        yield born


def _note_own_texts(data: ReportData) -> Iterator[str]:
    """A sentence if follow-ups belong to topics, because counts of topics differ between the answers then."""
    if data.occurrences.filter(pl.col("subject_topic_id").ne_missing(pl.col("topic_id"))).height:
        yield "Topics are counted here without follow-ups."


def _note_topics(data: ReportData) -> Iterator[str]:
    """A sentence if topics of a field say little; their note tells why."""
    shown = data.occurrences.drop_nulls("topic_id")["field"].unique().implode()
    noted = data.topic_runs.filter(pl.col("note").is_not_null() & pl.col("field").is_in(shown))["field"].unique().sort()
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
