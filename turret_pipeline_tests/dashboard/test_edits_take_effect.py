"""Edits in the browser, seen after a run in the same window of the same server."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from turret_pipeline_tests.commands import turret
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.visits import Visitor

LABEL, UNDONE_LABEL = "Parcels <b>today</b>", "Never used"


@pytest.mark.slow
def test_all_edits_take_effect_with_the_next_run_and_so_does_their_undoing(
    browser: Browser, small_job: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_job, tmp_path / "data", symlinks=True))
    with run_dashboard(one=folder) as url, Visitor.open(browser, f"{url}/one") as visitor:
        page = visitor.page
        kept, divided, merged = list_topics(visitor)

        open_topic(visitor, merged)
        page.get_by_label("Merge into").select_option(kept)
        press(visitor, "Merge", waiting="merge")
        expect(page.locator("h1")).to_be_visible()
        expect(page.get_by_text("An edit takes effect with the next run")).to_be_visible()
        open_topic(visitor, divided)
        press(visitor, "Split", waiting="split")
        page.get_by_label("Label").fill(UNDONE_LABEL)
        press(visitor, "Rename", waiting=UNDONE_LABEL)
        page.locator(".pending li", has_text=UNDONE_LABEL).get_by_role("button").click()
        expect(page.locator(".pending", has_text=UNDONE_LABEL)).to_have_count(0)
        open_topic(visitor, kept)
        press(visitor, "Lock", waiting="lock")
        press(visitor, "Not a subject", waiting="continuation")
        expect(page.locator("main > p.soft").first).not_to_contain_text("locked")
        assert list_topics(visitor) == [kept, divided, merged]
        set_type_of_plan(visitor)
        open_topic(visitor, kept)
        page.get_by_label("Label").fill(LABEL)
        press(visitor, "Rename", waiting=LABEL)
        expect(page.locator("h1")).not_to_have_text(LABEL)

        turret("run", "--data-dir", folder)

        find_newer_label_and_type(visitor)
        assert {kept, divided} < set(list_topics(visitor)) - {merged}
        open_topic(visitor, merged)
        expect(page.locator("main")).to_contain_text(f"It was merged into {kept}")
        open_topic(visitor, divided)
        expect(page.locator("h1")).not_to_have_text(UNDONE_LABEL)
        open_topic(visitor, kept)
        expect(page.locator("main > p.soft").first).to_contain_text("follow-up · locked")
        expect(page.get_by_role("heading", name="Waiting for the next run")).to_have_count(0)
        for word in ("merge", "lock", "continuation"):
            page.locator(".pending li", has_text=word).first.get_by_role("button").click()
            expect(page.locator(".pending li", has_text=re.compile(f"undo .*{word}"))).to_be_visible()
        expect(page.locator("main > p.soft").first).to_contain_text("follow-up · locked")

        turret("run", "--data-dir", folder)

        assert set(list_topics(visitor)) >= {kept, divided, merged}
        open_topic(visitor, kept)
        expect(page.locator("main > p.soft").first).not_to_contain_text("follow-up")
        expect(page.locator("main > p.soft").first).not_to_contain_text("locked")
        assert visitor.problems == []


def set_type_of_plan(visitor: Visitor) -> None:
    page = visitor.page
    visitor.visit("fields")
    page.get_by_label("Type of plan", exact=True).select_option("identifier")
    page.get_by_role("button", name="Set the type of plan", exact=True).click()
    expect(page.get_by_text("plan becomes identifier")).to_be_visible()


def find_newer_label_and_type(visitor: Visitor) -> None:
    """From a page that was open during the run, follow its link to newer results."""
    page = visitor.page
    page.evaluate("htmx.trigger('#newer', 'check')")
    page.locator("#newer a").click()
    expect(page.locator("h1")).to_have_text(LABEL)
    expect(page.locator(".pending")).to_contain_text("rename")
    visitor.visit("fields")
    expect(page.locator("tr", has_text="plan").first.locator("td").nth(1)).to_contain_text("identifier")
    expect(page.get_by_text("plan becomes identifier")).to_have_count(0)
    visitor.visit("topics")
    expect(page.locator(".topic-list")).to_contain_text(LABEL)


def list_topics(visitor: Visitor) -> list[str]:
    """Ids of the active topics, in the order of the list."""
    visitor.visit("topics")
    links = visitor.page.locator(".topic-list tbody td:first-child a").all()
    return [str(link.get_attribute("href")).rsplit("/", 1)[1] for link in links]


def open_topic(visitor: Visitor, topic_id: str) -> None:
    visitor.visit(f"topics/{topic_id}")


def press(visitor: Visitor, name: str, waiting: str) -> None:
    """Press the button of a form, and wait for its edit among those that wait for the next run."""
    visitor.page.get_by_role("button", name=name, exact=True).click()
    expect(visitor.page.get_by_role("heading", name="Waiting for the next run")).to_be_visible()
    expect(visitor.page.locator(".pending", has_text=waiting).first).to_be_visible()
