"""What holds on every page: valid, accessible, without errors, in both themes and at both widths."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from turret_pipeline_tests.dashboard.visits import DESKTOP, PHONE, Visitor, validate_html

SQL = "sql?query=select+prompt_at::date+as+day,+count(*)+as+n+from+exchanges+group+by+day+order+by+day"
PATHS = (
    "",
    "?since=2026-09-02&until=2026-09-29&segment=plan%3Dfree",
    "?since=2031-01-01",
    "answers?since=2026-09-02",
    "fields",
    "quality",
    "quality/rejected?reason=invalid_json",
    "sql",
    SQL,
    # not "collector", which needs a folder of its own: test_collector.py
)
"""Every page, some with filters, and without anything that matches."""


@pytest.mark.parametrize("path", PATHS)
def test_a_page_works_in_both_themes_and_at_both_widths(browser: Browser, dashboard: str, path: str) -> None:
    for width, theme in ((DESKTOP, "light"), (PHONE, "dark")):
        with Visitor.open(browser, f"{dashboard}/sample", width, theme) as visitor:  # type: ignore[arg-type]
            visitor.visit(path)
            assert visitor.check_accessibility() == []
            assert not visitor.overflows()
            assert visitor.problems == []


def test_all_pages_are_valid_html(dashboard: str, tmp_path: Path) -> None:
    files = []
    for number, path in enumerate(PATHS):
        address = f"{dashboard}/sample/{path}" if path and not path.startswith("?") else f"{dashboard}/sample{path}"
        files.append(tmp_path / f"{number}.html")
        files[-1].write_text(httpx.get(address).raise_for_status().text, encoding="utf-8")
    assert validate_html(files) == ""
