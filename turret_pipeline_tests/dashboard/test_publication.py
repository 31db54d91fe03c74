"""The published file under the pages: its age, and newer results."""

import datetime as dt
from pathlib import Path

import duckdb
import httpx
from playwright.sync_api import Browser, expect

from turret_pipeline.dashboard.publication import Publication
from turret_pipeline_tests.benchmarks.published_lake import Size, write_published
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor

NOON = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)


def test_results_that_are_older_than_expected_are_called_old() -> None:
    publication = Publication("run", NOON, 5, 0)

    assert publication.describe_age(NOON + dt.timedelta(hours=26), 26) == ""
    assert publication.describe_age(NOON + dt.timedelta(hours=27), 26).startswith("These results are 27 hours old.")
    assert publication.describe_age(NOON + dt.timedelta(days=9), 26).startswith("These results are 9 days old.")


def test_a_page_follows_the_next_publication_and_an_open_one_says_so(browser: Browser, tmp_path: Path) -> None:
    write_published(tmp_path, Size(50, 10, 5))

    with run_dashboard(one=tmp_path) as url, Visitor.open(browser, f"{url}/one") as visitor:
        visitor.visit("")
        assert visitor.page.locator("#newer").inner_text() == ""
        assert "<strong>50</strong> sessions" in get_page(f"{url}/one").text
        write_published(tmp_path, Size(80, 10, 5), run_number=2)

        assert "<strong>80</strong> sessions" in get_page(f"{url}/one").text
        visitor.page.evaluate("htmx.trigger('#newer', 'check')")
        expect(visitor.page.locator("#newer")).to_contain_text("Newer results are published")
        visitor.page.get_by_role("link", name="Show them").click()
        expect(visitor.page.locator(".totals")).to_contain_text("80")
        assert visitor.problems == []


def test_without_a_published_file_the_page_says_what_to_run(tmp_path: Path) -> None:
    with run_dashboard(one=tmp_path) as url:
        answer = get_page(f"{url}/one")

    assert answer.status_code == 400
    assert "turret run" in answer.text


def test_projects_are_apart_and_an_unknown_one_is_not_found(tmp_path: Path) -> None:
    write_published(tmp_path / "a", Size(50, 10, 5))
    write_published(tmp_path / "b", Size(60, 10, 5))
    with run_dashboard(first=tmp_path / "a", second=tmp_path / "b") as url:
        assert "<strong>50</strong> sessions" in get_page(f"{url}/first").text
        assert "<strong>60</strong> sessions" in get_page(f"{url}/second").text
        assert get_page(f"{url}/third").status_code == 404
        assert httpx.get(url, follow_redirects=True).url == f"{url}/first"


def test_a_file_of_another_version_says_what_to_run(tmp_path: Path) -> None:
    path = write_published(tmp_path, Size(50, 10, 5))
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table marts.session_values")
    with run_dashboard(one=tmp_path) as url:
        answer = get_page(f"{url}/one")

    assert answer.status_code == 400
    assert "was published by another version: publish it again with turret run" in answer.text
