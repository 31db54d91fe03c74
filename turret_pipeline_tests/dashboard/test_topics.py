"""The page of all topics: search, order, filters, links to the same numbers, charts, and invalid addresses."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from turret_pipeline_tests.dashboard.published import get_page, query, read_table
from turret_pipeline_tests.dashboard.visits import Visitor

FILTER = "since=2026-09-16&until=2026-09-29&segment=plan%3Dfree"
FREE = "session_id in (select session_id from marts.session_values where field = 'plan' and value = 'free')"
NOW, BEFORE = (
    f"prompt_at >= '{first}' and prompt_at < '{end}' and {FREE}"
    for first, end in (("2026-09-16", "2026-09-30"), ("2026-09-02", "2026-09-16"))
)
COUNTS = "select subject_topic_id, count(*), count(distinct user_id) from marts.exchanges where {} group by all"


@pytest.mark.parametrize(("path", "where"), [("topics", "true"), (f"topics?{FILTER}", NOW)])
def test_counts_users_and_shares_are_those_of_the_published_exchanges(
    dashboard: str, sample_folder: Path, path: str, where: str
) -> None:
    rows = {row["topic_id"]: row for row in read_table(dashboard, path, "topics")}
    counted = query(sample_folder, COUNTS.format(where))
    total = sum(count for _, count, _ in counted)
    assert sum(row["unit_count"] for row in rows.values()) == total
    for topic_id, count, users in counted:
        row = rows[topic_id]
        assert (row["unit_count"], row["user_count"], sum(row["trend"])) == (count, users, count)
        assert row["share"] == pytest.approx(count / total)
        assert row["share_low"] < row["share"] < row["share_high"]


def test_changes_compare_with_the_previous_period(dashboard: str, sample_folder: Path) -> None:
    rows = {row["topic_id"]: row for row in read_table(dashboard, f"topics?{FILTER}", "topics")}
    before = {topic_id: count for topic_id, count, _ in query(sample_folder, COUNTS.format(BEFORE))}
    for topic_id, row in rows.items():
        assert row["before_count"] == before.get(topic_id, 0)
        change = row["unit_count"] / row["total_count"] - row["before_count"] / row["before_total"]
        assert row["difference"] == pytest.approx(change)
        assert row["difference_low"] < change < row["difference_high"]
        if row["unit_count"] + row["before_count"] < 10:
            assert row["q_value"] is None
    assert any(row["q_value"] is not None for row in rows.values())


def test_a_person_searches_sorts_and_filters(visitor: Visitor) -> None:
    visitor.visit("topics")
    page = visitor.page
    page.get_by_label("Search").fill("invoice overdue")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".topic-list tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill("")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Users").click()
    users = [int(text.split()[0]) for text in page.locator(".topic-list tbody td:nth-child(5)").all_inner_texts()]
    assert users == sorted(users, reverse=True)
    assert len(users) > 20
    page.get_by_role("link", name="Users").click()
    assert int(page.locator(".topic-list tbody td:nth-child(5)").first.inner_text()) == min(users)
    expect(page.locator(".topic-list th[aria-sort]")).to_have_attribute("aria-sort", "ascending")


def test_a_theme_has_the_same_number_after_a_click(visitor: Visitor, dashboard: str) -> None:
    theme = read_table(dashboard, f"topics?{FILTER}", "themes")[0]
    visitor.visit(f"topics?{FILTER}")
    visitor.page.locator(".topic-list").get_by_role("link", name=theme["theme_label"]).first.click()
    found = visitor.page.locator("#found").inner_text()
    assert f"{theme['topic_count']} of " in found
    assert f"{theme['unit_count']} of {theme['total_count']} exchanges" in found


def test_counts_lead_to_lists_of_the_same_scope(visitor: Visitor) -> None:
    visitor.visit(f"topics?{FILTER}")
    row = visitor.page.locator(".topic-list tbody tr", has_text="Prices and costs")
    links = [link.get_attribute("href") or "" for link in row.get_by_role("link").all()]
    assert links[0] == f"/sample/topics/prompt-2?{FILTER}"
    assert f"/sample/exchanges?{FILTER}&topic=prompt-2" in links
    assert "/sample/exchanges?segment=plan%3Dfree&topic=prompt-2&since=2026-09-02&until=2026-09-15" in links
    without = visitor.page.locator(".topic-list tbody tr", has_text="No topic").get_by_role("link").first
    assert "topic=none&dimension=prompt" in (without.get_attribute("href") or "")


def test_chosen_topics_are_highlighted_and_tabulated(visitor: Visitor, dashboard: str) -> None:
    visitor.visit("topics?show=prompt-5")
    visitor.page.get_by_role("checkbox", name="Translate").uncheck()
    visitor.page.get_by_role("checkbox", name="Hiring").check()
    visitor.page.get_by_role("button", name="Highlight").click()
    assert "show=prompt-12" in visitor.page.url
    assert visitor.page.locator("figure svg .line-a").first.is_visible()
    rows = read_table(dashboard, "topics?show=prompt-12", "trends")
    assert sum(row["prompt-12"] for row in rows) == 76


def test_a_point_of_the_map_leads_to_its_topic(visitor: Visitor, dashboard: str) -> None:
    visitor.visit("topics")
    assert visitor.page.locator("#topic-map canvas").is_visible()
    places = {row["topic_id"]: (row["map_x"], row["map_y"]) for row in read_table(dashboard, "topics", "map")}
    assert len(places) == 25
    x, y = visitor.page.evaluate(
        "place => echarts.getInstanceByDom(document.getElementById('topic-map'))"
        ".convertToPixel({seriesIndex: 0}, place)",
        list(places["prompt-7"]),
    )
    visitor.page.locator("#topic-map").click(position={"x": x, "y": y})
    visitor.page.wait_for_url("**/topics/prompt-7")


def test_the_other_text_field_counts_its_events(dashboard: str, sample_folder: Path) -> None:
    rows = read_table(dashboard, "topics?dimension=feedback", "topics")
    sql = "select topic_id, count(*) from marts.event_topics where field = 'feedback' group by all"
    assert {row["topic_id"]: row["unit_count"] for row in rows} == dict(query(sample_folder, sql))


@pytest.mark.parametrize(
    "parameters",
    [
        "sort=secret",
        "order=down",
        "page=0",
        "page=1e9",
        "page=%D9%A3",
        "dimension=nothing",
        "compare_segment=plan&compare_segment=plan%3Dfree",
        "compare_segment=plan%3Dfree&compare_segment=model%3Dheron-1",
        "compare_segment=plan%3Dfree&compare_segment=plan%3Dnone",
        "compare_segment=plan%3Dfree&compare_segment=plan%3Dteam&compare_segment=plan%3Dbusiness",
        "&".join(f"show=prompt-{number}" for number in range(1, 8)),
    ],
)
def test_invalid_parameters_are_named(dashboard: str, parameters: str) -> None:
    assert get_page(f"{dashboard}/sample/topics?{parameters}").status_code == 400


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "' or 1=1 --", "a" * 5000, "\u202e", "%00"])
@pytest.mark.parametrize("name", ["q", "theme", "show"])
def test_hostile_values_are_plain_text(dashboard: str, name: str, value: str) -> None:
    answer = httpx.get(f"{dashboard}/sample/topics", params={name: value})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
