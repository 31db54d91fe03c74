"""Home: its numbers are those of the published file, and its answers those of the report."""

import json
import re
from pathlib import Path

import duckdb
import pytest

from turret_pipeline_tests.commands import turret, warehouse
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor

RANGE = "since=2026-09-02&until=2026-09-29"
OF_RANGE = "prompt_at >= '2026-09-02 00:00+00' and prompt_at < '2026-09-30 00:00+00'"
OF_FREE = "session_id in (select session_id from marts.session_values where field = 'plan' and value = 'free')"


def count(folder: Path, where: str) -> tuple[int, int, int]:
    """Exchanges, sessions and users by SQL."""
    query = "select count(*), count(distinct session_id), count(distinct user_id) from marts.exchanges where "
    with duckdb.connect(str(warehouse(folder)), read_only=True) as connection:
        exchanges, sessions, users = connection.execute(query + where).fetchall()[0]
        return exchanges, sessions, users


def read_totals(visitor: Visitor) -> tuple[int, ...]:
    """The large numbers on top of Home."""
    shown = visitor.page.locator(".totals strong").all_inner_texts()
    return tuple(int(text.replace(",", "")) for text in shown)


@pytest.mark.parametrize(
    ("query", "where"),
    [("", "true"), (f"?{RANGE}", OF_RANGE), (f"?{RANGE}&segment=plan%3Dfree", f"{OF_RANGE} and {OF_FREE}")],
)
def test_the_totals_are_what_a_query_counts(visitor: Visitor, sample_folder: Path, query: str, where: str) -> None:
    visitor.visit(query)

    assert read_totals(visitor) == count(sample_folder, where)


def test_a_filter_is_chosen_in_the_panel_and_removed_again(visitor: Visitor, sample_folder: Path) -> None:
    visitor.visit("")
    page = visitor.page
    everything = read_totals(visitor)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("free").check()
    page.get_by_role("button", name="Apply").click()

    assert read_totals(visitor) == count(sample_folder, OF_FREE)
    page.get_by_role("link", name="plan = free").click()
    assert read_totals(visitor) == everything


def test_the_trend_adds_up_to_the_total_in_the_chart_and_in_both_downloads(dashboard: str, sample_folder: Path) -> None:
    exchanges, _, _ = count(sample_folder, OF_RANGE)
    address = f"{dashboard}/sample?{RANGE}&table=trend&format="

    rows = get_page(f"{address}json").raise_for_status().json()
    lines = get_page(f"{address}csv").raise_for_status().text.splitlines()

    assert sum(row["unit_count"] for row in rows) == exchanges
    assert [row["bucket_date"] for row in rows] == [line.split(",")[0] for line in lines[1:]]
    assert (rows[0]["bucket_date"], rows[-1]["bucket_date"]) == ("2026-09-02", "2026-09-29")


def test_the_answers_are_the_sentences_of_the_report(visitor: Visitor, sample_folder: Path) -> None:
    report = json.loads(turret("report", "--format", "json", "--data-dir", sample_folder).stdout)
    visitor.visit("")
    page = visitor.page

    assert page.locator("h2").all_inner_texts()[1:] == [answer["title"] for answer in report["answers"]]
    shown = page.locator(".findings p").all_text_contents()
    sentences = [finding["sentence"] for answer in report["answers"] for finding in answer["findings"]]
    assert len(shown) == len(sentences) > 5
    assert all(text.startswith(sentence) for text, sentence in zip(shown, sentences, strict=True))


def test_the_evidence_of_a_sentence_is_as_many_exchanges_as_it_says(visitor: Visitor) -> None:
    visitor.visit("")
    links = visitor.page.locator(".findings a[href*='/exchanges?']")
    checked = 0
    for name, href in links.evaluate_all("all => all.map(one => [one.firstChild.textContent, one.href])"):
        found = re.search(r"([\d,]+) exchanges? in", get_page(href).raise_for_status().text)
        assert found, href
        assert name == f"These {found[1]} exchanges", href
        checked += 1
    assert checked >= 5
    other_links = visitor.page.locator(".findings a:not([href*='/exchanges?'])")
    for href in other_links.evaluate_all("all => all.map(one => one.href)"):
        assert get_page(href).status_code == 200, href


def test_under_a_filter_the_answers_are_loaded_and_have_a_page_of_their_own(visitor: Visitor) -> None:
    visitor.visit(f"?{RANGE}&segment=plan%3Dfree")
    visitor.page.locator("#where_it_fails").wait_for()
    loaded = visitor.page.locator(".findings p").all_inner_texts()
    visitor.visit(f"answers?{RANGE}&segment=plan%3Dfree")

    assert visitor.page.locator(".findings p").all_inner_texts() == loaded
