"""The report as rows of the table ``report_lines``, and back."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.model import TITLES, Answer, Finding, Report
from turret_pipeline.storage.lake import conform
from turret_pipeline.tables import REPORT_LINES

NOTE, NOTHING = "note", "nothing"
"""Kinds of lines that are no findings."""

_SAME = ("kind", "sentence", "period", "field", "topic_id", "label", "count", "total", "other_count", "other_total")
"""Values of a finding that have a column of the same name."""

_LINES = "select * from marts.report_lines order by answer, line_number"


def tabulate_report(report: Report) -> pl.DataFrame:
    """Table ``report_lines``."""
    rows = [row for answer in report.answers for row in _list_rows(answer)]
    return conform(REPORT_LINES, pl.DataFrame(rows, REPORT_LINES.schema, orient="row"))


def read_answers(published: PublishedTables) -> dict[str, Answer]:
    """The published answers by key."""
    answers: dict[str, list[dict[str, Any]]] = {key: [] for key in TITLES}
    for row in published.query(_LINES).iter_rows(named=True):
        answers[row["answer"]].append(row)
    return {key: _make_answer(key, rows) for key, rows in answers.items()}


def _list_rows(answer: Answer) -> Iterator[dict[str, Any]]:
    lines = [_describe_finding(finding) for finding in answer.findings]
    lines += [{"kind": NOTHING, "sentence": answer.nothing}] if answer.nothing else []
    lines += [{"kind": NOTE, "sentence": note} for note in answer.notes]
    for number, line in enumerate(lines, 1):
        yield {"answer": answer.key, "line_number": number, **line}


def _describe_finding(finding: Finding) -> dict[str, Any]:
    low, high = finding.interval or (None, None)
    return {
        **{name: getattr(finding, name) for name in _SAME},
        "difference_low": low,
        "difference_high": high,
        "q_value": finding.q_value,
        "evidence": json.dumps(dict(finding.evidence), ensure_ascii=False),
    }


def _make_answer(key: str, rows: list[dict[str, Any]]) -> Answer:
    of_kind = {kind: [row["sentence"] for row in rows if row["kind"] == kind] for kind in (NOTE, NOTHING)}
    findings = tuple(
        Finding(
            **{name: row[name] for name in _SAME},
            low=row["difference_low"],
            high=row["difference_high"],
            q_value=row["q_value"],
            evidence=json.loads(row["evidence"]),
        )
        for row in rows
        if row["kind"] not in of_kind
    )
    return Answer(key, findings, tuple(of_kind[NOTE]), nothing=" ".join(of_kind[NOTHING]))
