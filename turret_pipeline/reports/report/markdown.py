"""A report as Markdown."""

from collections.abc import Iterator

from turret_pipeline.escaping import escape_markdown
from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.lines import describe_size, list_sentences
from turret_pipeline.reports.report.model import TALK, FieldTopics, Report


def render_markdown(report: Report) -> str:
    """The report as a Markdown document."""
    return "\n".join(_list_lines(report)) + "\n"


def _list_lines(report: Report) -> Iterator[str]:
    yield from ("# Report", "", escape_markdown(describe_size(report)))
    for answer in report.answers:
        yield from ("", f"## {answer.title}", "")
        yield from (f"- {escape_markdown(sentence)}" for sentence in list_sentences(answer))
        if answer.key == TALK:
            for one in report.fields:
                yield from _list_topics(one)
        for note in answer.notes:
            yield from ("", escape_markdown(note))


def _list_topics(one: FieldTopics) -> Iterator[str]:
    """The topics of a field as a table."""
    yield from ("", f"### Topics of {escape_markdown(one.field)}", "")
    yield "| Topic | Theme | Texts | Share | With follow-ups | Users |"
    yield "|---|---|---:|---:|---:|---:|"
    for topic in one.topics:
        names = f"{escape_markdown(topic.label)} | {escape_markdown(topic.theme)}"
        counts = (
            f"{topic.event_count:,} | {percent(topic.event_share)} | {topic.exchange_count:,} | {topic.user_count:,}"
        )
        yield f"| {names} | {counts} |"
    for note in one.notes:
        yield from ("", f"Note: {escape_markdown(note)}")
