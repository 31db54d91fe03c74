"""A report as Markdown."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from turret_pipeline.escaping import escape_markdown
from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.lines import describe_size, list_sentences
from turret_pipeline.reports.report.model import TALK, FieldTopics, Report, TopicLine
from turret_pipeline.reports.report.words import plural

NAMES = 2
"""Columns of a table that are names, before those of figures."""


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
    """The topics of a field as a table, after the number of texts."""
    counts = f"{plural(one.event_count, 'text')}, {one.no_topic_count:,} without a topic"
    yield from ("", f"### Topics of {escape_markdown(one.field)}", "", counts)
    if one.topics:
        yield from ("", *_align(list(_list_rows(one.topics))))
    for note in one.notes:
        yield from ("", f"Note: {escape_markdown(note)}")


def _list_rows(topics: Sequence[TopicLine]) -> Iterator[list[str]]:
    """The cells of the head and of each topic."""
    yield ["Topic", "Theme", "Texts", "Share", "With follow-ups", "Users"]
    for topic in topics:
        yield [
            f"{escape_markdown(topic.label)}{' (follow-ups)' if topic.is_follow_up else ''}",
            escape_markdown(topic.theme),
            f"{topic.event_count:,}",
            percent(topic.event_share),
            f"{topic.exchange_count:,}" if topic.exchange_share is not None else "",
            f"{topic.user_count:,}",
        ]


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows as lines of a table whose columns are aligned in plain text too."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    rules = ["-" * width if at < NAMES else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
    for row in (rows[0], rules, *rows[1:]):
        spaces = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            cell + space if at < NAMES else space + cell
            for at, (cell, space) in enumerate(zip(row, spaces, strict=True))
        ]
        yield f"| {' | '.join(cells)} |"
