"""The answers of a report as plain sentences, which all formats share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, Answer, Report
from turret_pipeline.reports.report.words import plural
from turret_pipeline.stats.groups import MIN_EVENTS

MAX_FINDINGS = 8
"""Findings of an answer that are shown; JSON has all."""

NOTHING = {
    CHANGED: "No topic changed beyond chance",
    FAILS: "No topic fails beyond chance more often than the others",
    DIFFERS: "Nothing differs beyond chance",
}
WORTH_TELLING = f" by a quarter or more and on at least {MIN_EVENTS} events"
"""Said of differences beyond chance that are not told."""


@dataclass(frozen=True)
class NullResult:
    """Comparisons of one kind without a finding, in words of a reader: ``noun``.

    ``has_minor`` is true if differences among them are beyond chance, but not worth telling.
    """

    noun: str
    count: int
    has_minor: bool = False


def describe_nothing(key: str, null_results: Sequence[NullResult]) -> str:
    """A sentence for an answer without findings: none of its comparisons found anything."""
    extent = WORTH_TELLING if any(kind.has_minor for kind in null_results) else ""
    nouns = ", ".join(kind.noun for kind in null_results)
    return f"{NOTHING[key]}{extent} ({sum(kind.count for kind in null_results):,} compared: {nouns})."


def note_null_results(null_results: Sequence[NullResult]) -> Iterator[str]:
    """Sentences on comparisons that found nothing, beside findings of other kinds."""
    for has_minor, extent in ((False, ""), (True, WORTH_TELLING)):
        kinds = [f"{kind.noun} ({kind.count:,})" for kind in null_results if kind.has_minor == has_minor]
        if kinds:
            yield f"Nothing beyond chance{extent} among {', '.join(kinds)}."


def list_sentences(answer: Answer) -> list[str]:
    """The first findings of an answer, or a line that says that there are none."""
    if not answer.findings:
        return [answer.nothing]
    sentences = [finding.sentence for finding in answer.findings[:MAX_FINDINGS]]
    rest = len(answer.findings) - MAX_FINDINGS
    return [*sentences, f"{rest:,} more: turret report --format json"] if rest > 0 else sentences


def describe_size(report: Report) -> str:
    """The size of the report's data in one line."""
    counts = {"exchange": report.exchange_count, "session": report.session_count, "user": report.user_count}
    sizes = ", ".join(plural(count, noun) for noun, count in counts.items())
    return f"{sizes}, {report.period or 'no days'}{f'; only {report.scope}' if report.scope else ''}"
