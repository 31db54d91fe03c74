"""A report as plain text."""

from collections.abc import Iterator

from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.lines import describe_size, list_sentences
from turret_pipeline.reports.report.model import TALK, FieldTopics, Report

MAX_TOPICS = 12


def list_lines(report: Report) -> Iterator[str]:
    """The lines of a report."""
    yield describe_size(report)
    for answer in report.answers:
        yield from ("", answer.title)
        yield from (f"- {sentence}" for sentence in list_sentences(answer))
        if answer.key == TALK:
            for one in report.fields:
                yield from _list_topics(one)
        yield from (f"  {note}" for note in answer.notes)


def _list_topics(one: FieldTopics) -> Iterator[str]:
    """A line per topic of a field: its own events, and the exchanges about it."""
    yield ""
    yield f"Topics of {one.field} ({one.event_count:,} texts; {one.no_topic_count:,} without a topic):"
    for topic in one.topics[:MAX_TOPICS]:
        asked = f", {topic.exchange_count:,} with follow-ups" if topic.exchange_count else ""
        mark = " (follow-ups)" if topic.is_follow_up else ""
        yield f"  {percent(topic.event_share):>5}  {topic.label}{mark}: {topic.event_count:,} texts{asked}"
    if len(one.topics) > MAX_TOPICS:
        yield f"         {len(one.topics) - MAX_TOPICS:,} more (turret topics list)"
    yield from (f"  Note: {note}" for note in one.notes)
