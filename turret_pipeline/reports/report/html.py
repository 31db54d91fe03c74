"""A report as one HTML page without scripts and without anything from another host, so it opens offline."""

import re
from collections.abc import Iterator, Sequence

from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.charts import Bar, draw_bars, escape_html
from turret_pipeline.reports.report.lines import MAX_FINDINGS, describe_size, list_sentences
from turret_pipeline.reports.report.model import (
    CHANGED,
    DIFFERS,
    FAILS,
    TALK,
    Answer,
    FieldTopics,
    Finding,
    Report,
    TopicLine,
)
from turret_pipeline.reports.report.words import plural

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --bar: #3b6ea5; --muted: #b8bec7; --line: #8884; --soft: #667; }}
@media (prefers-color-scheme: dark) {{ :root {{ --bar: #7fb0e6; --muted: #5b626d; --soft: #aab; }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; }}
h1 {{ margin-bottom: 0; }} h2 {{ margin: 2em 0 0.5em; border-top: 1px solid var(--line); padding-top: 1em; }}
.size, .note, figcaption {{ color: var(--soft); }} .note {{ font-size: 0.9em; margin: 0.4em 0; }}
.finding {{ display: flex; flex-wrap: wrap; gap: 0 2em; align-items: center; margin: 0.8em 0; break-inside: avoid; }}
.finding p {{ flex: 1 1 22em; margin: 0.3em 0; }} svg {{ max-width: 100%; height: auto; }}
svg text {{ font-size: 12px; fill: currentColor; }} .bar {{ fill: var(--bar); }} .muted {{ fill: var(--muted); }}
.charts {{ display: flex; flex-wrap: wrap; gap: 0 2em; }} figure {{ margin: 0.5em 0; }}
.interval {{ stroke: currentColor; stroke-width: 1.5; }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; width: 100%; font-size: 0.95em; }}
th, td {{ text-align: left; padding: 0.25em 1em 0.25em 0; border-bottom: 1px solid var(--line); vertical-align: top; }}
.number {{ text-align: right; white-space: nowrap; }} .example {{ color: var(--soft); }}
.day {{ white-space: nowrap; }} summary {{ cursor: pointer; margin: 0.8em 0; }}
@media print {{ body {{ margin: 0; }}
  details::details-content {{ content-visibility: visible; display: block; height: auto; }} }}
</style></head>
<body><h1>{title}</h1>
<p class="size">{size}</p>
{answers}
<h2>How to read this</h2>
<p>A sentence is only told if it holds beyond chance: if nothing differed at all, the chance of any such sentence in a
whole report would be at most 5 %. The q-value is the expected share of false sentences among those with this q-value or
less; the thin line over a bar is the 95 % interval of the difference, drawn from the share it is compared with.</p>
</body></html>
"""

MAX_BARS = 10
COMPARED = {
    CHANGED: ("now", "before"),
    FAILS: ("this topic", "other topics"),
    DIFFERS: ("this segment", "everyone else"),
}
"""Names of the two bars of a finding: its own share, and the one that it is compared with."""


def render_html(report: Report) -> str:
    """The report as an HTML page."""
    answers = "\n".join(part for answer in report.answers for part in _list_parts(answer, report))
    size = escape_html(describe_size(report))
    return PAGE.format(title="What people do with the product", size=size, answers=answers)


def _list_parts(answer: Answer, report: Report) -> Iterator[str]:
    yield f"<h2>{escape_html(answer.title)}</h2>"
    if not answer.findings:
        yield from (f"<p>{escape_html(sentence)}</p>" for sentence in list_sentences(answer))
    if answer.key == TALK:
        yield from (part for one in report.fields for part in _list_topics(one, answer))
    else:
        shown, rest = answer.findings[:MAX_FINDINGS], answer.findings[MAX_FINDINGS:]
        yield from (_render_finding(finding, COMPARED[answer.key]) for finding in shown)
        if rest:
            more = "".join(_render_finding(finding, COMPARED[answer.key]) for finding in rest)
            yield f"<details><summary>{len(rest):,} more</summary>{more}</details>"
    yield from (f'<p class="note">{_keep_days(escape_html(note))}</p>' for note in answer.notes)


def _render_finding(finding: Finding, names: tuple[str, str]) -> str:
    """A sentence with its chart."""
    other, interval = finding.other_share, finding.interval
    low, high = (None, None) if other is None or interval is None else (other + end for end in interval)
    bars = [Bar(names[0], finding.share, low, high)]
    if other is not None:
        bars.append(Bar(names[1], other, is_muted=True))
    chart = draw_bars(finding.sentence, bars)
    return f'<div class="finding"><p>{_keep_days(escape_html(finding.sentence))}</p>{chart}</div>'


def _list_topics(one: FieldTopics, answer: Answer) -> Iterator[str]:
    """The themes of a field as bars, and its topics as a table."""
    with_topic = one.event_count - one.no_topic_count
    texts = plural(one.event_count, "text")
    counts = f"{texts}, {with_topic:,} with a topic, {one.follow_up_count:,} of them follow-ups"
    yield f"<h3>{escape_html(one.field)}: {counts}</h3>"
    if one.topics:
        yield _draw_topics(one, [finding for finding in answer.findings if finding.field == one.field])
        summary = f"All {plural(len(one.topics), 'topic')} of {escape_html(one.field)}"
        yield f"<details><summary>{summary}</summary>{_tabulate_topics(one.topics)}</details>"
    yield from (f'<p class="note">Note: {escape_html(note)}</p>' for note in one.notes)


def _draw_topics(one: FieldTopics, themes: Sequence[Finding]) -> str:
    """The largest themes and subjects of a field as bars."""
    by_theme = [Bar(theme.label or "", theme.share) for theme in themes[:MAX_BARS]]
    subjects = sorted(
        (topic for topic in one.topics if not topic.is_follow_up), key=_share_with_follow_ups, reverse=True
    )
    by_topic = [Bar(topic.label, _share_with_follow_ups(topic)) for topic in subjects[:MAX_BARS]]
    charts = (draw_bars(f"Themes of {one.field}", by_theme), draw_bars(f"Largest topics of {one.field}", by_topic))
    heads = ("Themes", "Largest topics")
    figures = (
        f"<figure><figcaption>{head}</figcaption>{chart}</figure>" for head, chart in zip(heads, charts, strict=True)
    )
    return f'<div class="charts">{"".join(figures)}</div>'


def _tabulate_topics(topics: Sequence[TopicLine]) -> str:
    """The topics as a table."""
    names = ("Topic", "Theme", "Texts", "Share", "With follow-ups", "Users", "Example")
    head = "".join(f"<th{'' if name in {'Topic', 'Theme', 'Example'} else _NUMBER}>{name}</th>" for name in names)
    rows = "".join(
        f"<tr><td>{escape_html(topic.label)}{' (follow-ups)' if topic.is_follow_up else ''}</td>"
        f"<td>{escape_html(topic.theme)}</td><td{_NUMBER}>{topic.event_count:,}</td>"
        f"<td{_NUMBER}>{percent(topic.event_share)}</td>"
        f"<td{_NUMBER}>{f'{topic.exchange_count:,}' if topic.exchange_count else ''}</td>"
        f'<td{_NUMBER}>{topic.user_count:,}</td><td class="example">{escape_html(_shorten(topic.example))}</td></tr>'
        for topic in topics
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _share_with_follow_ups(topic: TopicLine) -> float:
    """The share of the exchanges about the topic; of its own texts where the field holds no prompts."""
    return topic.event_share if topic.exchange_share is None else topic.exchange_share


def _keep_days(text: str) -> str:
    """The text with days that no line end breaks."""
    return re.sub(r"\d{4}-\d{2}-\d{2}", r'<span class="day">\g<0></span>', text)


_NUMBER = ' class="number"'
_MAX_EXAMPLE = 90


def _shorten(text: str | None) -> str:
    return "" if text is None else text if len(text) <= _MAX_EXAMPLE else text[: _MAX_EXAMPLE - 1] + "…"
