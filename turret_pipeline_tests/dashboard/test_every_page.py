"""What holds on every page: valid, accessible, without errors, in both themes and at both widths."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from turret_pipeline_tests.dashboard.visits import DESKTOP, PHONE, Visitor, validate_html

FILTER = "?since=2026-09-02&until=2026-09-29&segment=plan%3Dfree"
PATHS = (
    "",
    FILTER,
    "?since=2031-01-01",
    "answers?since=2026-09-02",
    "topics",
    f"topics{FILTER}&sort=q_value",
    "topics?since=2031-01-01",
    "topics?compare_segment=plan%3Dfree&compare_segment=plan%3Dbusiness",
    "topics/prompt-2",
    f"topics/prompt-2{FILTER}",
    "topics/feedback-1",
    "topics/prompt-2?since=2031-01-01",
    "journeys",
    "journeys?dimension=event_name&node=(start)&after=5&before=0&repeats=1&hide=answer_shown",
    "journeys?group=theme&since=2026-09-02&until=2026-09-29",
    "journeys?since=2031-01-01",
    "journeys/transitions?since=2026-09-02&until=2026-09-29",
    "journeys/transitions?q=nothing+has+this+name",
    "journeys/paths?compare_segment=plan%3Dfree&compare_segment=plan%3Dteam&length=whole",
    "journeys/funnel",
    "journeys/funnel?step=event:prompt_sent&step=event:answer_copied&exclude=event:feedback_given"
    "&compare_segment=plan%3Dfree&compare_segment=plan%3Dteam",
    "journeys/matrix",
    "journeys/matrix?since=2026-09-02&until=2026-09-29",
    "journeys/matrix?since=2031-01-01&dimension=user:event_name",
    "journeys/sessions?of=end&end=export_downloaded&dimension=user:event_name",
    "exchanges?topic=prompt-1&signal=corrected",
    "exchanges?search=nothing+has+this+text",
    "texts?field=feedback",
    "users",
    "sessions?start=prompt-1",
    "sessions?page=9999",
    "sessions/s_ce7fa65081",
    "fields",
    "quality",
    "quality/rejected?reason=invalid_json",
    "sql",
    "sql?query=select+prompt_at::date+as+day,+count(*)+as+n+from+exchanges+group+by+day+order+by+day",
    # not "collector", which needs a folder of its own: test_collector.py
)
"""Every page, some with filters, and without anything that matches."""


@pytest.fixture(scope="module")
def visitor(browser: Browser, dashboard: str) -> Iterator[Visitor]:
    """A person with one window for all pages: nothing on them depends on what was visited before."""
    with Visitor.open(browser, f"{dashboard}/sample") as visitor:
        yield visitor


@pytest.mark.parametrize("path", PATHS)
def test_a_page_works_in_both_themes_and_at_both_widths(visitor: Visitor, path: str) -> None:
    visitor.problems.clear()
    visitor.visit(path)
    for width, theme in itertools.product((DESKTOP, PHONE), ("light", "dark")):
        visitor.show(width, theme)  # type: ignore[arg-type]
        assert visitor.check_accessibility() == []
        assert not visitor.overflows()
    assert visitor.problems == []


def test_all_pages_are_valid_html(dashboard: str, tmp_path: Path) -> None:
    files = []
    for number, path in enumerate(PATHS):
        address = f"{dashboard}/sample/{path}" if path and not path.startswith("?") else f"{dashboard}/sample{path}"
        files.append(tmp_path / f"{number}.html")
        files[-1].write_text(httpx.get(address, timeout=60).raise_for_status().text, encoding="utf-8")
    assert validate_html(files) == ""
