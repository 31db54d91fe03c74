"""Addresses of pages: ids that browsers would resolve as folders, and the menu of the page of an error."""

import datetime as dt
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from turret_pipeline.dashboard.access import Access, Viewer
from turret_pipeline.dashboard.state import PageState, find_path
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor

IDS = (".", "..", "~.", "~..", "~", "a/../b", "a//", "/", "a?b#c%2F", "%2e", "ü .", "...")


@pytest.mark.parametrize("session_id", IDS)
def test_an_address_keeps_the_id_of_a_session(session_id: str) -> None:
    address = PageState("one", "").to_page(f"sessions/{session_id}")
    request = httpx.URL(f"http://host{address}")
    assert "/../" not in address
    assert not address.endswith(("/.", "/..", "/%2e"))
    assert find_path("one", request.path) == f"sessions/{session_id}"


def test_ids_have_different_addresses() -> None:
    state = PageState("one", "")
    assert len({state.to_page(f"sessions/{one}") for one in IDS}) == len(IDS)


def test_a_path_without_an_id_has_no_slash_at_its_end() -> None:
    assert [find_path("one", address) for address in ("/one", "/one/", "/one/quality/rejected/")] == [
        "", "", "quality/rejected",
    ]  # fmt: skip


def test_an_error_has_the_menu_of_its_project(visitor: Visitor) -> None:
    for path, status in (("nothing-here", 404), ("topics?since=never", 400), ("sessions/unknown", 404)):
        answer = visitor.page.goto(f"{visitor.home}/{path}")
        assert answer is not None
        assert answer.status == status
        expect(visitor.page.locator("h1")).to_be_visible()
        visitor.page.get_by_role("link", name="Topics", exact=True).click()
        expect(visitor.page.locator("h1")).to_have_text("Topics")
    visitor.problems.clear()  # the errors that were asked for


def test_an_error_has_no_menu_of_a_project_that_the_person_may_not_open(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Access, "identify", lambda *_, **__: Viewer("viewer", "token", projects=("own",)))
    with run_dashboard(own=sample_folder, other=sample_folder) as url:
        hidden, unknown = (get_page(f"{url}/{name}/topics") for name in ("other", "unknown"))
        own = get_page(f"{url}/own/nothing")
    assert (hidden.status_code, unknown.status_code, own.status_code) == (404, 404, 404)
    assert hidden.text.replace("other", "unknown") == unknown.text
    assert 'href="/other' not in hidden.text
    assert 'href="/own/topics"' in own.text


@pytest.mark.parametrize(("zone", "label"), [("Asia/Kolkata", "GMT+5:30"), ("America/New_York", "EDT")])
def test_times_are_in_the_zone_of_the_viewer_and_say_so(
    browser: Browser, dashboard: str, zone: str, label: str
) -> None:
    hours = {"Asia/Kolkata": 5.5, "America/New_York": -4}[zone]
    with Visitor.open(browser, f"{dashboard}/sample", time_zone=zone) as visitor:
        for path in ("exchanges", "sessions", "sessions/s_ce7fa65081", "quality", "users"):
            visitor.visit(path)
            times = visitor.page.locator("main time")
            shown = times.evaluate_all("all => all.map((one) => [one.dateTime, one.textContent, one.title])")
            assert shown
            for moment, text, title in shown:
                assert text.endswith((label, "EST"))
                assert title.endswith("UTC")
                assert _shift(moment, hours if text.endswith(label) else -5) == text[:16]
        expect(visitor.page.locator("footer")).to_contain_text("Days are those of UTC.")
        assert visitor.problems == []


def test_times_without_scripts_are_in_utc_and_say_so(dashboard: str) -> None:
    page = get_page(f"{dashboard}/sample/exchanges").raise_for_status().text
    assert page.count(" UTC</time>") == page.count("<time ") > 5


def _shift(moment: str, hours: float) -> str:
    """A moment of a page in a zone that is so many hours ahead, as the page writes it."""
    return f"{dt.datetime.fromisoformat(moment) + dt.timedelta(hours=hours):%Y-%m-%d %H:%M}"
