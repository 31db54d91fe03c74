"""The answers of a report as plain sentences, which all formats share."""

from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, TALK, Answer, Report

MAX_FINDINGS = 8
"""Findings of an answer that are shown; JSON has all."""

NOTHING = {
    TALK: "No texts.",
    CHANGED: "No topic changed beyond chance ({count:,} compared).",
    FAILS: "No topic fails beyond chance more often than the others ({count:,} compared: sessions that end, slow, "
    "expensive, unanswered, failed and badly rated exchanges).",
    DIFFERS: "No segment differs beyond chance ({count:,} compared: topics, failures, moves and outcomes).",
}
NOT_COMPARED = {
    TALK: "No texts.",
    CHANGED: "Nothing could be compared.",
    FAILS: "Nothing could be compared: no prompts were recognized (table exchange_roles), or they have too few users.",
    DIFFERS: "No segment could be compared: no enum field of exchanges has values with enough users.",
}


def list_sentences(answer: Answer) -> list[str]:
    """The strongest findings of an answer, or a line that says that there are none."""
    if not answer.findings:
        texts = NOTHING if answer.compared_count else NOT_COMPARED
        return [texts[answer.key].format(count=answer.compared_count)]
    sentences = [finding.sentence for finding in answer.findings[:MAX_FINDINGS]]
    rest = len(answer.findings) - MAX_FINDINGS
    return [*sentences, f"{rest:,} more: turret report --format json"] if rest > 0 else sentences


def describe_size(report: Report) -> str:
    """The size of the report's data in one line."""
    sizes = f"{report.exchange_count:,} exchanges, {report.session_count:,} sessions, {report.user_count:,} users"
    return f"{sizes}, {report.period or 'no days'}{f'; only {report.scope}' if report.scope else ''}"
