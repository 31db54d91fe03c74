"""Questions of a new user, answered with only the browser, from Home, in at most four clicks each; and by keyboard.

docs/how-to/dashboard.md has the same clicks.
"""

import re

from playwright.sync_api import Browser, Locator, expect

from turret_pipeline_tests.dashboard.visits import Visitor

MAX_CLICKS = 4


class Clicks:
    """Clicks of a visitor, which are counted from Home on."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.count = visitor, 0
        visitor.visit("")

    def follow(self, name: str, within: str = "body") -> None:
        """Click the first link with a name."""
        self.click(self.visitor.page.locator(within).get_by_role("link", name=name).first)

    def click(self, link: Locator) -> None:
        """Click a link, and wait for its page."""
        self.count += 1
        assert self.count <= MAX_CLICKS
        with self.visitor.page.expect_navigation():
            link.click()


def test_what_grew_this_week(visitor: Visitor) -> None:
    clicks = Clicks(visitor)
    clicks.follow("Last full week")
    expect(visitor.page.locator("section:has(#what_changed) > p").first).to_contain_text(
        re.compile(r"changed beyond chance since \d{4}-\d\d-\d\d to"), timeout=60_000
    )
    clicks.follow("All topics by change", "#what_changed ~ .more, section:has(#what_changed)")
    expect(visitor.page.locator("h1")).to_have_text("Topics")
    changes = visitor.page.locator(".topic-list tbody tr td:nth-child(7)").all_inner_texts()
    shown = [float(found[0]) for text in changes if (found := re.match(r"[+-]?[\d.]+", text))]
    assert shown[0] > 0
    assert shown == sorted(shown, reverse=True)
    clicks.click(visitor.page.locator(".topic-list tbody a").first)
    expect(visitor.page.locator("#change")).to_contain_text("+")


def test_where_people_give_up(visitor: Visitor) -> None:
    clicks = Clicks(visitor)
    answer = visitor.page.locator("section:has(#where_it_fails)")
    expect(answer.locator(".findings")).to_contain_text("are the last of their session")
    clicks.follow("Where all sessions end", "section:has(#where_it_fails)")
    ends = visitor.page.locator("section:has(#ends)")
    count = int(ends.locator("tbody td.number a").first.inner_text())
    clicks.click(ends.locator("tbody td.number a").first)
    assert visitor.count(".found") == count


def test_what_free_users_ask_that_business_users_do_not_and_five_such_conversations(visitor: Visitor) -> None:
    clicks = Clicks(visitor)
    clicks.follow("Topics by segment", "section:has(#for_whom_it_differs)")
    page = visitor.page
    clicks.follow("free and business")
    first = page.locator(".topic-list tbody tr").first
    expect(first).to_contain_text("+")
    count = int(first.locator("td.number a").first.inner_text())
    clicks.click(first.locator("td.number a").first)
    assert visitor.count(".found") == count >= 5
    assert all("plan = free" in text for text in page.locator(".chosen a").all_inner_texts())
    clicks.click(page.locator("tbody a").first)
    expect(page.locator(".turn").first).to_be_visible()


def test_the_keyboard_is_enough(visitor: Visitor) -> None:
    visitor.visit("")
    page = visitor.page

    def follow(name: str) -> None:
        """Press Tab until a link has the focus, then Enter."""
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()").startswith(name):
                break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        with page.expect_navigation():
            page.keyboard.press("Enter")

    follow("Last full week")
    page.locator("#what_changed").wait_for()
    follow("All topics by change")
    first = page.locator(".topic-list tbody a").first.inner_text()
    follow(first)
    expect(page.locator("h1")).to_have_text(first)
    page.keyboard.press("Tab")
    with page.expect_navigation(url="**#content"):
        page.keyboard.press("Enter")  # the first link skips the menu
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


def test_a_url_shows_another_person_the_same_and_a_click_downloads_it(visitor: Visitor, browser: Browser) -> None:
    clicks = Clicks(visitor)
    clicks.follow("Last 28 days")
    clicks.follow("Topics")
    clicks.follow("Users")
    shown = visitor.page.locator(".topic-list table").inner_text()
    with Visitor.open(browser, visitor.home) as other:
        other.page.goto(visitor.page.url)
        assert other.page.locator(".topic-list table").inner_text() == shown
    with visitor.page.expect_download() as download:
        visitor.page.locator(".topic-list").get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "sample-topics.csv"
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) - 1 == visitor.page.locator(".topic-list tbody tr").count()
