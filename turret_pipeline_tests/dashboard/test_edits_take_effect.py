"""A topic renamed and a type set in the browser, and both seen after a run, in the same window of the same server."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from turret_pipeline_tests.commands import turret
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.visits import Visitor

LABEL = "Parcels <b>today</b>"


@pytest.mark.slow
def test_a_new_label_and_a_new_type_are_shown_after_the_next_run(
    browser: Browser, small_job: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_job, tmp_path / "data", symlinks=True))
    with run_dashboard(one=folder) as url, Visitor.open(browser, f"{url}/one") as visitor:
        page = visitor.page
        visitor.visit("fields")
        page.get_by_label("Type of plan", exact=True).select_option("identifier")
        page.get_by_role("button", name="Set the type of plan", exact=True).click()
        expect(page.get_by_text("plan becomes identifier")).to_be_visible()
        visitor.visit("topics")
        page.locator(".topic-list tbody a").first.click()
        page.get_by_label("Label").fill(LABEL)
        page.get_by_role("button", name="Rename").click()
        expect(page.locator(".pending")).to_contain_text(LABEL)
        expect(page.locator("h1")).not_to_have_text(LABEL)

        turret("run", "--data-dir", folder)

        page.evaluate("htmx.trigger('#newer', 'check')")
        page.locator("#newer a").click()
        expect(page.locator("h1")).to_have_text(LABEL)
        expect(page.locator(".pending")).to_contain_text("rename")
        visitor.visit("fields")
        expect(page.locator("tr", has_text="plan").first.locator("td").nth(1)).to_contain_text("identifier")
        expect(page.get_by_text("plan becomes identifier")).to_have_count(0)
        visitor.visit("topics")
        expect(page.locator(".topic-list")).to_contain_text(LABEL)
        assert visitor.problems == []
