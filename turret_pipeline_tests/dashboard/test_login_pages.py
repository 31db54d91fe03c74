"""The login in a browser: by keyboard, with a wrong password, out again, and as a viewer without forms."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from turret_pipeline.dashboard.credentials import CredentialFile
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import DESKTOP, PHONE, Visitor, validate_html

ANA, VIC = ("ana", "a sentence only ana writes"), ("vic", "a sentence only vic writes")


@pytest.fixture(scope="module")
def closed(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a dashboard with an admin and a viewer."""
    folder = tmp_path_factory.mktemp("closed")
    CredentialFile(folder / "dashboard").add_password(ANA[0], "admin", ANA[1])
    CredentialFile(folder / "dashboard").add_password(VIC[0], "viewer", VIC[1])
    with run_dashboard({"data_dir": folder}, sample=sample_folder) as url:
        yield url


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_person_logs_in_looks_and_logs_out(browser: Browser, closed: str) -> None:
    with Visitor.open(browser, f"{closed}/sample") as visitor:
        visitor.visit("?since=2026-09-02")
        page = visitor.page
        assert page.title() == "Log in · Turret"
        log_in(page, ANA[0], "not her password")
        expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
        expect(page.get_by_label("Name")).to_have_value("ana")
        assert [problem for problem in visitor.problems if "401" not in problem] == []
        visitor.problems.clear()
        log_in(page, *ANA)
        expect(page).to_have_url(f"{closed}/sample?since=2026-09-02")
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(f"{closed}/login")
        page.go_back()
        page.reload()
        expect(page.get_by_label("Password")).to_be_visible()
        assert visitor.problems == []


@pytest.mark.slow  # waits until the page asks
def test_an_open_page_says_that_its_session_ended(browser: Browser, closed: str) -> None:
    with Visitor.open(browser, f"{closed}/sample") as visitor:
        visitor.visit("")
        log_in(visitor.page, *VIC)
        visitor.page.wait_for_load_state("load")
        visitor.page.context.clear_cookies()
        expect(visitor.page.locator("#newer")).to_contain_text("You are logged out.", timeout=20_000)
        visitor.page.get_by_role("link", name="Log in again").click()
        expect(visitor.page.get_by_label("Password")).to_be_visible()


def test_the_login_works_by_keyboard_alone_and_without_scripts(browser: Browser, closed: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{closed}/sample")
        for _ in range(3):  # the skip link, the name of the product, the first field
            page.keyboard.press("Tab")
        page.keyboard.type(VIC[0])
        page.keyboard.press("Tab")
        page.keyboard.type(VIC[1])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{closed}/sample")
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        assert page.locator("main form[method=post]").count() == 0
    finally:
        context.close()


@pytest.mark.parametrize("is_logged_in", [False, True])
def test_the_pages_are_accessible_and_fit(browser: Browser, closed: str, is_logged_in: bool) -> None:
    for width, theme in ((DESKTOP, "light"), (PHONE, "dark")):
        with Visitor.open(browser, f"{closed}/sample", width, theme) as visitor:  # type: ignore[arg-type]
            visitor.visit("")
            if is_logged_in:
                log_in(visitor.page, *VIC)
                visitor.page.wait_for_load_state("load")
            assert visitor.check_accessibility() == []
            assert not visitor.overflows()
            assert visitor.problems == []


def test_the_login_page_is_valid_html(closed: str, tmp_path: Path) -> None:
    for number, path in enumerate(("login", "login?next=/sample%22%3E%3Cb%3E")):
        page = get_page(f"{closed}/{path}")
        assert page.status_code == 200
        (tmp_path / f"{number}.html").write_text(page.text, encoding="utf-8")
    wrong = httpx.post(f"{closed}/login", data={"name": '"><script>', "password": "x"}, headers={"origin": closed})
    assert "<script>" not in wrong.text.partition("<body>")[2]
    (tmp_path / "wrong.html").write_text(wrong.text, encoding="utf-8")
    assert validate_html(sorted(tmp_path.glob("*.html"))) == ""
