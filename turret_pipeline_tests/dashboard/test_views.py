"""Saved views: saved and deleted by forms, opened from the menu."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from turret_pipeline.storage.dashboard_views import View
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor


@pytest.fixture
def folder(sample_folder: Path, tmp_path: Path) -> Path:
    """A data folder that the test may change."""
    (tmp_path / "data" / "warehouse").mkdir(parents=True)
    shutil.copy(sample_folder / "format.json", tmp_path / "data")
    shutil.copytree(sample_folder / "warehouse", tmp_path / "data" / "warehouse", dirs_exist_ok=True)
    return tmp_path / "data"


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    with run_dashboard(sample=folder) as url:
        yield url


def test_a_view_is_saved_opened_and_deleted(browser: Browser, url: str, folder: Path) -> None:
    with Visitor.open(browser, f"{url}/sample") as visitor:
        visitor.visit("exchanges?since=2026-09-02&until=2026-09-29&signal=corrected&page=2")
        page = visitor.page
        page.get_by_text("Saved views").click()
        page.get_by_label("Save this view as").fill("Corrected <b>in September</b>")
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_load_state("load")
        assert page.url.endswith("/exchanges?since=2026-09-02&until=2026-09-29&signal=corrected")

        visitor.visit("sessions")
        page.get_by_text("Saved views").click()
        page.get_by_role("link", name="Corrected <b>in September</b>").click()
        page.wait_for_load_state("load")
        assert page.url.endswith("/exchanges?since=2026-09-02&until=2026-09-29&signal=corrected")
        assert len(DataDir(folder).dashboard_views.read()) == 1

        page.get_by_text("Saved views").click()
        page.get_by_role("button", name="Delete").click()
        page.get_by_text("Saved views").click()
        assert page.get_by_text("No view is saved yet.").is_visible()
        assert DataDir(folder).dashboard_views.read() == []
        assert visitor.problems == []


def test_a_form_without_its_token_changes_nothing(url: str, folder: Path) -> None:
    answer = httpx.post(f"{url}/sample/views", data={"name": "x", "path": ""}, headers={"Origin": url})
    assert answer.status_code == 403
    assert DataDir(folder).dashboard_views.read() == []


def test_a_damaged_file_is_a_note_in_the_menu(url: str, folder: Path) -> None:
    DataDir(folder).dashboard_views.path.write_text("damaged\n")
    answer = get_page(f"{url}/sample")
    assert answer.status_code == 200
    assert "Line 1 of" in answer.text


def test_a_view_never_leads_out_of_its_project(url: str, folder: Path) -> None:
    for number, path in enumerate(("/other.example", "javascript:alert(1)", "a?b#c")):
        DataDir(folder).dashboard_views.save(View(str(number), path, "x=<y>&since=2026-09-01", ""))
    html = get_page(f"{url}/sample").text
    links = [part.partition('"')[0] for part in html.partition('class="views"')[2].split('href="')[1:]]
    assert len(links[:3]) == 3
    assert all(link.startswith("/sample/") for link in links[:3])
