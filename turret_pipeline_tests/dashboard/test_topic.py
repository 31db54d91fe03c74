"""The page of a topic: every number is that of SQL on the published file, and edits wait for the next run."""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from turret_pipeline_tests.commands import turret
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import query, read_table
from turret_pipeline_tests.dashboard.visits import Visitor

FILTER = "since=2026-09-16&until=2026-09-29&segment=plan%3Dfree"
FREE = "session_id in (select session_id from marts.session_values where field = 'plan' and value = 'free')"
IN_RANGE = f"prompt_at >= '2026-09-16' and prompt_at < '2026-09-30' and {FREE}"
SESSIONS = f"started_at >= '2026-09-16' and started_at < '2026-09-30' and {FREE}"
SCOPES = [("topics/prompt-2", "true", "true"), (f"topics/prompt-2?{FILTER}", IN_RANGE, SESSIONS)]
ABOUT = "from marts.exchanges where subject_topic_id = 'prompt-2' and "


@pytest.mark.parametrize(
    ("table", "by", "column", "before"),
    [
        ("measures", ["measure"], "value_mean", "before_mean"),
        ("segments", ["segment_field", "segment_value"], "share_in_segment", "before_share"),
        ("previous", ["node_id"], "share", "before_share"),
        ("next", ["node_id"], "share", "before_share"),
    ],
)
def test_the_tables_have_the_figures_of_the_previous_period(
    dashboard: str, table: str, by: list[str], column: str, before: str
) -> None:
    now = read_table(dashboard, "topics/prompt-2?since=2026-09-16&until=2026-09-29", table)
    earlier = read_table(dashboard, "topics/prompt-2?since=2026-09-02&until=2026-09-15", table)
    figures = {tuple(row[name] for name in by): row[column] for row in earlier}

    found = {tuple(row[name] for name in by): row[before] for row in now}
    assert found == {key: figures.get(key) for key in found}
    assert any(value is not None for value in found.values())
    assert before not in read_table(dashboard, "topics/prompt-2", table)[0]


@pytest.mark.parametrize(("path", "where", "_"), SCOPES)
def test_the_counts_at_the_top(visitor: Visitor, sample_folder: Path, path: str, where: str, _: str) -> None:
    visitor.visit(path)
    [(count, users)] = query(sample_folder, f"select count(*), count(distinct user_id) {ABOUT} {where}")
    [(total,)] = query(sample_folder, f"select count(*) from marts.exchanges where {where}")
    assert visitor.count("#unit-count") == count
    assert visitor.count("#user-count") == users
    assert visitor.page.locator("#share").inner_text() == f"{100 * count / total:.1f} %"
    assert f"of all {total:,}" in visitor.page.locator(".totals").inner_text()


def test_the_change_and_the_count_before(visitor: Visitor, sample_folder: Path) -> None:
    visitor.visit(f"topics/prompt-2?{FILTER}")
    before = f"prompt_at >= '2026-09-02' and prompt_at < '2026-09-16' and {FREE}"
    shares = []
    for where in (IN_RANGE, before):
        [(count, total)] = query(
            sample_folder,
            f"select count(*) filter (subject_topic_id = 'prompt-2'), count(*) from marts.exchanges where {where}",
        )
        shares.append(count / total)
    assert visitor.count("#before-count") == count
    text = visitor.page.locator("#change").inner_text()
    assert text.startswith(f"{100 * (shares[0] - shares[1]):+.1f} pp")


def test_the_trend_beside_a_previous_period_that_begins_before_the_data(dashboard: str) -> None:
    rows = read_table(dashboard, "topics/prompt-2?since=2026-08-05&until=2026-08-25", "trend")

    assert len(rows) > 10
    assert rows[0]["before_date"] == "2026-08-01"
    assert rows[-1]["before_count"] is None


@pytest.mark.parametrize(("path", "where", "_"), SCOPES)
def test_the_trend_by_day(dashboard: str, sample_folder: Path, path: str, where: str, _: str) -> None:
    rows = {row["bucket_date"]: row["unit_count"] for row in read_table(dashboard, path, "trend")}
    counted = query(sample_folder, f"select prompt_at::date::varchar, count(*) {ABOUT} {where} group by all")
    assert {day: count for day, count in rows.items() if count} == dict(counted)


@pytest.mark.parametrize(("path", "where", "_"), SCOPES)
def test_cost_time_and_rating(dashboard: str, sample_folder: Path, path: str, where: str, _: str) -> None:
    rows = {row["measure"]: row for row in read_table(dashboard, path, "measures")}
    assert {"latency_seconds", "output_tokens", "rating"} <= rows.keys()
    for name, row in rows.items():
        sql = f"count({name}), avg({name}), quantile_cont({name}, 0.5), quantile_cont({name}, 0.95), sum({name})"
        [expected] = query(sample_folder, f"select {sql} {ABOUT} {where}")
        keys = ("value_count", "value_mean", "value_p50", "value_p95", "value_sum")
        assert [row[key] for key in keys] == pytest.approx(list(expected))


@pytest.mark.parametrize(("path", "where", "_"), SCOPES)
def test_signals(dashboard: str, sample_folder: Path, path: str, where: str, _: str) -> None:
    rows = read_table(dashboard, path, "signals")
    assert len(rows) > 5
    for row in rows:
        name = f"is_{row['signal']}"
        sql = f"select count({name}), count(*) filter ({name}) from marts.exchange_signals semi join "
        [expected] = query(sample_folder, f"{sql} (select exchange_id {ABOUT} {where}) using (exchange_id)")
        assert (row["exchange_count"], row["signal_count"]) == expected
        assert row["signal_share"] == pytest.approx(expected[1] / expected[0])
        assert row["share_low"] <= row["signal_share"] <= row["share_high"]


def test_signals_of_all_data_are_the_published_ones_and_so_are_those_that_are_computed(
    dashboard: str, sample_folder: Path
) -> None:
    sql = """select signal, signal_count, share_low, share_high from marts.topic_signals
        where topic_id = 'prompt-2' and week_start_date is null and segment_field is null"""
    published = {name: rest for name, *rest in query(sample_folder, sql)}
    for path in ("topics/prompt-2", "topics/prompt-2?since=2020-01-01"):  # the second one is computed
        for row in read_table(dashboard, path, "signals"):
            shown = [row["signal_count"], row["share_low"], row["share_high"]]
            assert shown == pytest.approx(published[row["signal"]])


def test_segments_of_all_data_are_the_published_ones(dashboard: str, sample_folder: Path) -> None:
    rows = read_table(dashboard, "topics/prompt-2", "segments")
    columns = ("segment_field", "segment_value", "event_count", "share_in_segment", "difference_low", "q_value")
    expected = query(
        sample_folder, f"select {', '.join(columns)} from marts.topic_segments where topic_id = 'prompt-2'"
    )
    assert sorted(tuple(row[name] for name in columns) for row in rows) == sorted(expected)


def test_segments_of_a_filter(dashboard: str, sample_folder: Path) -> None:
    rows = read_table(dashboard, f"topics/prompt-2?{FILTER}", "segments")
    assert {row["segment_field"] for row in rows} >= {"platform", "model"}
    for row in rows:
        of_field = f"{IN_RANGE} and session_id in (select session_id from marts.session_values where field = ?"
        counts = "select count(*) filter (subject_topic_id = 'prompt-2'), count(*) from marts.exchanges where"
        values = row["segment_field"], row["segment_value"]
        [(count, total)] = query(sample_folder, f"{counts} {of_field} and value = ?)", *values)
        [(all_count, all_total)] = query(sample_folder, f"{counts} {of_field})", values[0])
        assert (row["event_count"], row["segment_count"]) == (count, total)
        assert row["share_in_segment"] == pytest.approx(count / total)
        assert row["share_elsewhere"] == pytest.approx((all_count - count) / (all_total - total))


@pytest.mark.parametrize(("path", "_", "where"), SCOPES)
@pytest.mark.parametrize(("table", "side"), [("next", 1), ("previous", -1)])
def test_before_and_after(
    dashboard: str, sample_folder: Path, path: str, _: str, where: str, table: str, side: int
) -> None:
    rows = {row["node_id"]: row for row in read_table(dashboard, path, table)}
    sql = f"""
        with steps as (
            select session_id, node_id, lead(node_id, {side}, ?) over (
                partition by session_id order by step_number
            ) as other
            from marts.journey_steps where dimension = 'prompt'
            and session_id in (select session_id from marts.sessions where {where})
        )
        select other, count(*), count(distinct session_id) from steps where node_id = 'prompt-2' group by other
    """
    counted = query(sample_folder, sql, "(end)" if side == 1 else "(start)")
    shown = [(node, row["transition_count"], row["session_count"]) for node, row in rows.items()]
    assert sorted(shown) == sorted(counted)
    visits = sum(count for _, count, _ in counted)
    assert all(row["share"] == pytest.approx(row["transition_count"] / visits) for row in rows.values())


def test_outcomes_and_retention_are_the_published_ones(dashboard: str, sample_folder: Path) -> None:
    outcomes = read_table(dashboard, "topics/prompt-2", "outcomes")
    sql = "select outcome_event_name, outcome_session_count, outcome_share, q_value from marts.topic_outcomes"
    keys = ("outcome_event_name", "outcome_session_count", "outcome_share", "q_value")
    expected = query(sample_folder, f"{sql} where topic_id = 'prompt-2'")
    assert sorted(tuple(row[key] for key in keys) for row in outcomes) == sorted(expected)
    retention = read_table(dashboard, "topics/prompt-2", "retention")
    sql = "select weeks_since, sum(cohort_count), sum(returned_count) from marts.topic_retention"
    expected = query(sample_folder, f"{sql} where topic_id = 'prompt-2' group by all order by all")
    assert [(row["weeks_since"], row["cohort_count"], row["returned_count"]) for row in retention] == expected


def test_texts_are_central_or_borderline(dashboard: str, sample_folder: Path) -> None:
    rows = read_table(dashboard, "topics/prompt-2", "texts")
    places = {place: [row for row in rows if row["place"] == place] for place in ("central", "borderline")}
    sql = "from marts.event_topics where topic_id = 'prompt-2'"
    [(best, worst)] = query(sample_folder, f"select max(similarity), min(similarity - runner_up_similarity) {sql}")
    assert places["central"][0]["similarity"] == best
    assert places["borderline"][0]["margin"] == worst
    assert all(len({row["text"] for row in some}) == len(some) for some in places.values())


def test_a_topic_without_prompts_counts_its_events(visitor: Visitor, sample_folder: Path) -> None:
    visitor.visit("topics/feedback-1")
    [(count,)] = query(sample_folder, "select count(*) from marts.event_topics where topic_id = 'feedback-1'")
    assert visitor.count("#unit-count") == count
    link = visitor.page.locator("#unit-count a").get_attribute("href")
    assert link == "/sample/texts?field=feedback&topic=feedback-1"


def test_links_to_lists_name_the_same_scope(visitor: Visitor) -> None:
    visitor.visit(f"topics/prompt-2?{FILTER}")
    links = {link.get_attribute("href") for link in visitor.page.locator("main a").all()}
    assert f"/sample/exchanges?{FILTER}&topic=prompt-2" in links
    assert f"/sample/exchanges?{FILTER}&topic=prompt-2&signal=corrected" in links
    assert f"/sample/sessions?{FILTER}&dimension=prompt&from=prompt-4&to=prompt-2" in links
    assert f"/sample/sessions?{FILTER}&dimension=prompt&end=prompt-2" in links


@pytest.mark.parametrize("topic_id", ["prompt-999", "x", "<script>", "' or 1=1 --", "..", "%00", "a%2Fb"])
def test_an_unknown_topic_is_named_or_not_found(dashboard: str, topic_id: str) -> None:
    answer = httpx.get(f"{dashboard}/sample/topics/{topic_id}", follow_redirects=True)
    assert answer.status_code in {200, 400, 404}
    assert "<script>alert" not in answer.text


@pytest.fixture
def own_folder(sample_folder: Path, tmp_path: Path) -> Path:
    """A copy of the sample's results, to edit."""
    folder = tmp_path / "own"
    shutil.copytree(sample_folder, folder, ignore=shutil.ignore_patterns("dagster", "dbt", "figures"))
    return folder


@pytest.fixture
def editor(browser: Browser, own_folder: Path) -> Iterator[Visitor]:
    """A person at the dashboard of the copy."""
    with run_dashboard(sample=own_folder) as url, Visitor.open(browser, f"{url}/sample") as visitor:
        yield visitor
        assert not visitor.problems


def test_a_new_label_waits_for_the_next_run_until_it_is_undone(editor: Visitor, own_folder: Path) -> None:
    editor.visit("topics/prompt-2")
    page = editor.page
    page.get_by_label("Label").fill("Quotes <b>now</b>")
    page.get_by_role("button", name="Rename").click()
    pending = page.locator(".pending")
    expect(pending).to_contain_text('rename prompt-2 to "Quotes <b>now</b>"')
    expect(page.locator("h1")).to_have_text("Prices and costs")
    assert "turret run --data-dir" in page.locator("#edit + p").inner_text()
    assert "rename prompt-2" in turret("topics", "edits", "--data-dir", own_folder).stdout
    pending.get_by_role("button").click()
    expect(pending).to_have_count(0)
    assert "No edits." in turret("topics", "edits", "--data-dir", own_folder).stdout


def test_all_forms_write_the_edits_of_the_commands(editor: Visitor, own_folder: Path) -> None:
    page = editor.page
    editor.visit("topics/prompt-3")
    page.get_by_label("Merge into").select_option("prompt-4")
    page.get_by_role("button", name="Merge").click()
    editor.visit("topics/prompt-5")
    page.get_by_label("Split into").fill("3")
    page.get_by_role("button", name="Split").click()
    page.get_by_role("button", name="Lock").click()
    page.get_by_role("button", name="Unlock").click()
    page.get_by_role("button", name="Not a subject").click()
    listed = turret("topics", "edits", "--data-dir", own_folder).stdout
    done = [line.split("  ")[-1] for line in listed.splitlines()]
    assert done == [
        "merge prompt-3 into prompt-4",
        "split prompt-5 into 3 parts",
        "lock prompt-5",
        "unlock prompt-5",
        "role prompt-5: continuation",
    ]


@pytest.fixture
def posted(own_folder: Path) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """A client of the copy's dashboard, and the fields that every form has."""
    with run_dashboard(sample=own_folder) as url, httpx.Client(base_url=url, headers={"Origin": url}) as client:
        form = client.get("/sample/topics/prompt-2").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert found is not None
        yield client, {"csrf_token": html.unescape(found[1])}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "rename", "label": " "}, "The new label is empty"),
        ({"action": "rename", "label": "Hiring"}, "already has the label"),
        ({"action": "rename", "label": "a\x1bb"}, "unprintable"),
        ({"action": "merge", "into": "prompt-2"}, "into itself"),
        ({"action": "merge", "into": "feedback-1"}, "different fields"),
        ({"action": "split", "parts": "1"}, "Invalid number of parts"),
        ({"action": "split", "parts": "9e9"}, "Invalid number of parts"),
        ({"action": "unlock"}, "is not locked"),
        ({"action": "role", "role": "boss"}, "Unknown role"),
        ({"action": "undo"}, "Nothing to undo"),
        ({"action": "drop"}, "Unknown action"),
        ({}, "Unknown action"),
    ],
)
def test_invalid_edits_are_explained(
    posted: tuple[httpx.Client, dict[str, str]], fields: dict[str, str], message: str
) -> None:
    client, form = posted
    answer = client.post("/sample/topics/prompt-2", data={**form, **fields})
    assert answer.status_code == 400
    assert message in html.unescape(answer.text)


def test_a_form_of_another_site_changes_nothing(posted: tuple[httpx.Client, dict[str, Any]], own_folder: Path) -> None:
    client, _ = posted
    fields = {"action": "lock", "csrf_token": "guessed"}
    assert client.post("/sample/topics/prompt-2", data=fields).status_code == 403
    assert "No edits." in turret("topics", "edits", "--data-dir", own_folder).stdout
