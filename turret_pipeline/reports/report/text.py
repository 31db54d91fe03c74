"""A report as plain text, of which most lines fit a terminal of 120 columns."""

import re
import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.lines import describe_size, list_sentences
from turret_pipeline.reports.report.model import TALK, FieldTopics, Report, TopicLine
from turret_pipeline.reports.report.words import plural

WIDTH = 120
MAX_TOPICS = 12
LINE_END, NO_BREAK = re.compile(r"[^\S ]"), "\u00a0"


def list_lines(report: Report) -> Iterator[str]:
    """The lines of a report."""
    yield describe_size(report)
    for answer in report.answers:
        yield from ("", answer.title)
        for sentence in list_sentences(answer):
            yield from _wrap(sentence, "- ")
        if answer.key == TALK:
            for one in report.fields:
                yield from _list_topics(one)
        for note in answer.notes:
            yield from _wrap(note, "  ")


def _list_topics(one: FieldTopics) -> Iterator[str]:
    """The topics of a field as a table, with the theme of each."""
    yield from (
        "",
        f"Topics of {one.field} ({plural(one.event_count, 'text')}; {one.no_topic_count:,} without a topic):",
    )
    if one.topics:
        yield from _list_rows(one.topics[:MAX_TOPICS])
    if len(one.topics) > MAX_TOPICS:
        yield f"  {len(one.topics) - MAX_TOPICS:,} more (turret topics list)"
    for note in one.notes:
        yield from _wrap(f"Note: {note}", "  ")


def _list_rows(topics: Sequence[TopicLine]) -> Iterator[str]:
    """The head and a line per topic: its own texts, and where the field has exchanges, those about it."""
    columns = [
        ["Share", *(percent(topic.event_share) for topic in topics)],
        ["Texts", *(f"{topic.event_count:,}" for topic in topics)],
        ["With follow-ups", *(f"{topic.exchange_count:,}" for topic in topics)],
        ["Users", *(f"{topic.user_count:,}" for topic in topics)],
    ]
    if all(topic.exchange_share is None for topic in topics):
        del columns[2]
    labels = ["Topic", *(f"{topic.label}{' (follow-ups)' if topic.is_follow_up else ''}" for topic in topics)]
    themes = ["Theme", *(topic.theme for topic in topics)]
    widths, label_width = [max(map(len, column)) for column in columns], max(map(cell_len, labels))
    for label, theme, *figures in zip(labels, themes, *columns, strict=True):
        cells = [figure.rjust(width) for figure, width in zip(figures, widths, strict=True)]
        yield f"  {'  '.join(cells)}  {label}{' ' * (label_width - cell_len(label))}  {theme}"


def _wrap(text: str, start: str) -> list[str]:
    """The text on lines of at most WIDTH characters, the further ones indented.

    Lines break at spaces only: a line end inside a name begins no line.
    """
    return textwrap.wrap(
        LINE_END.sub(NO_BREAK, text),
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
