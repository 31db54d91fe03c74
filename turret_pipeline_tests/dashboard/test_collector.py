"""The collector's page: a key is made in the browser, a client sends the first event with it, and it arrives."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from turret_pipeline.collector.keys import KeyFile
from turret_pipeline_tests.benchmarks.published_lake import Size, write_published
from turret_pipeline_tests.collector.servers import run_server
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.visits import Visitor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collector's data folder with a published project shop and another one."""
    (tmp_path / "collector").mkdir()
    for name in ("shop", "other"):
        write_published(tmp_path / "projects" / name, Size(20, 5, 3))
        KeyFile(tmp_path / "collector").create(name)
    return tmp_path


@pytest.fixture
def visitor(browser: Browser, folder: Path) -> Iterator[Visitor]:
    """A person at the page of the collector of project shop."""
    with run_dashboard(shop=folder / "projects" / "shop") as url, Visitor.open(browser, f"{url}/shop") as visitor:
        visitor.visit("collector")
        yield visitor
        assert visitor.problems == []


def test_a_key_is_made_used_and_revoked(visitor: Visitor, folder: Path) -> None:
    page = visitor.page
    assert visitor.check_accessibility() == []
    page.get_by_role("button", name="Create a key").click()
    key = page.get_by_role("alert").locator("pre").inner_text()
    shown_once = page.url

    with run_server(folder) as collector:
        event = {"name": "prompt_sent", "metadata": {"prompt": "Where?"}}
        assert collector.post("/track", event, key).status_code == 200
    expect(page.get_by_text("shop: 1 event in this period")).to_be_visible(timeout=10_000)

    page.goto(shown_once)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert key not in page.content()
    page.locator("select[name=key]").select_option(key.split("_")[1])
    page.get_by_role("button", name="Revoke").click()
    assert KeyFile(folder / "collector").read().authenticate(key) is None


def test_keys_of_another_project_are_neither_shown_nor_changed(visitor: Visitor, folder: Path) -> None:
    other = next(key for key in KeyFile(folder / "collector").read().keys.values() if key.project == "other")
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.page.content())
    assert token
    origin = "/".join(visitor.home.split("/")[:3])
    form = {"csrf_token": token[1], "action": "revoke", "key": other.key_id}
    answer = httpx.post(f"{visitor.home}/collector/keys", data=form, headers={"origin": origin})

    assert other.key_id not in visitor.page.content()
    assert answer.status_code == 400
    assert KeyFile(folder / "collector").read().keys[other.key_id].revoked_at is None
