"""Fields: types with reasons, and a drop-down that sets another from the next run on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.visits import Visitor


@pytest.fixture
def folder(sample_folder: Path, tmp_path: Path) -> Path:
    """A copy of the sample's results, which the test may change."""
    return Path(shutil.copytree(sample_folder, tmp_path / "data", symlinks=True))


@pytest.fixture
def editor(browser: Browser, folder: Path) -> Iterator[Visitor]:
    """A person at a dashboard of that copy."""
    with run_dashboard(one=folder) as url, Visitor.open(browser, f"{url}/one") as visitor:
        visitor.visit("fields")
        yield visitor
        assert visitor.problems == []


def test_a_type_is_set_waits_for_the_next_run_and_is_unset(editor: Visitor, folder: Path) -> None:
    page = editor.page
    expect(page.locator("table")).to_contain_text("if so, set it to enum")
    page.get_by_label("Type of plan", exact=True).select_option("text")
    page.get_by_role("button", name="Set the type of plan", exact=True).click()

    expect(page.get_by_text("plan becomes text")).to_be_visible()
    assert DataDir(folder).field_overrides.read_types({}) == {"plan": "text"}

    page.get_by_label("Type of plan", exact=True).select_option("detect again")
    page.get_by_role("button", name="Set the type of plan", exact=True).click()
    expect(page.get_by_text("plan becomes text")).to_have_count(0)
    assert DataDir(folder).field_overrides.read_types({}) == {}


def test_a_type_that_the_values_contradict_is_set_only_after_a_question(editor: Visitor, folder: Path) -> None:
    page = editor.page
    page.get_by_label("Type of feedback", exact=True).select_option("number")
    page.get_by_role("button", name="Set the type of feedback", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("The field feedback cannot be number")
    assert DataDir(folder).field_overrides.read_types({}) == {}
    page.get_by_role("button", name="Set it to number anyway").click()
    assert DataDir(folder).field_overrides.read_types({}) == {"feedback": "number"}


def test_a_form_of_another_page_changes_nothing(folder: Path) -> None:
    with run_dashboard(one=folder) as url:
        form = {"field": "plan", "type": "text"}
        foreign = httpx.post(f"{url}/one/fields/type", data=form, headers={"origin": "https://example.com"})
        forged = httpx.post(f"{url}/one/fields/type", data=form, headers={"origin": url})
        unknown = httpx.post(f"{url}/one/fields/type", content=b"{}", headers={"origin": url})

    assert [foreign.status_code, forged.status_code, unknown.status_code] == [403, 403, 415]
    assert DataDir(folder).field_overrides.read_types({}) == {}
