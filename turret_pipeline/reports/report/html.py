"""A report as one HTML page without scripts and without anything from another host, so it opens offline."""

import html

from turret_pipeline.reports.report.lines import describe_size, list_sentences
from turret_pipeline.reports.report.model import Report

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Report</title>
</head>
<body><h1>Report</h1>
<p>{size}</p>
{answers}
</body></html>
"""


def render_html(report: Report) -> str:
    """The report as an HTML page."""
    answers = "\n".join(
        f"<h2>{html.escape(answer.title)}</h2><ul>"
        + "".join(f"<li>{html.escape(sentence)}</li>" for sentence in list_sentences(answer))
        + "</ul>"
        for answer in report.answers
    )
    return PAGE.format(size=html.escape(describe_size(report)), answers=answers)
