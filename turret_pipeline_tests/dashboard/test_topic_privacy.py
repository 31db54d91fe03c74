"""Suppressed for viewers on Home and on the pages of topics: figures and texts of few users, and forms."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline.dashboard.access import Access, Viewer
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page, query, read_table

MIN_USERS = 40


@pytest.fixture
def for_viewers(sample_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a dashboard where everyone is a viewer, with a high privacy threshold."""
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", str(MIN_USERS))
    monkeypatch.setattr(Access, "identify", lambda *_, **__: Viewer("viewer", "token"))
    with run_dashboard(sample=sample_folder) as url:
        yield url


def test_figures_of_few_users_are_not_shown(for_viewers: str, sample_folder: Path) -> None:
    rows = read_table(for_viewers, "topics", "topics")
    users = dict(
        query(sample_folder, "select subject_topic_id, count(distinct user_id) from marts.exchanges group by 1")
    )
    suppressed = [row for row in rows if row["is_suppressed"]]
    assert {row["topic_id"] for row in suppressed} == {topic for topic, count in users.items() if count < MIN_USERS}
    assert all(row[name] is None for row in suppressed for name in ("unit_count", "share", "user_count", "trend"))
    page = get_page(f"{for_viewers}/sample/topics").text
    assert f"fewer than {MIN_USERS} users" in page


def test_texts_and_forms_of_few_users_are_not_shown(for_viewers: str, sample_folder: Path) -> None:
    [(topic_id, texts)] = query(
        sample_folder,
        f"select topic_id, example_texts from marts.topics where user_count < {MIN_USERS} order by all limit 1",
    )
    page = get_page(f"{for_viewers}/sample/topics/{topic_id}").raise_for_status().text
    assert f"ewer than {MIN_USERS} users" in page
    assert not any(text in page for text in texts)
    assert "<form method" not in page
    assert get_page(f"{for_viewers}/sample/topics/{topic_id}?format=json&table=texts").status_code == 400


def test_rows_of_few_users_are_left_out(for_viewers: str) -> None:
    rows = read_table(for_viewers, "topics/prompt-2", "next")
    assert rows
    assert all(row["user_count"] >= MIN_USERS for row in rows)


def test_activity_of_few_users_is_not_shown(for_viewers: str, sample_folder: Path) -> None:
    day_users = query(
        sample_folder,
        "select prompt_at::date::text, count(distinct user_id) from marts.exchanges group by 1 order by 2",
    )
    rows = {row["bucket_date"]: row for row in read_table(for_viewers, "", "trend")}
    assert all((rows[day]["unit_count"] is None) == (users < MIN_USERS) for day, users in day_users)
    quiet_day = day_users[0][0]
    page = get_page(f"{for_viewers}/sample?since={quiet_day}&until={quiet_day}").raise_for_status().text
    assert f"Fewer than {MIN_USERS} users" in page
    assert "<strong>" not in page.split("<main")[1].split("</main>")[0]


def test_figures_of_few_users_before_or_on_the_other_side_are_not_shown(for_viewers: str, sample_folder: Path) -> None:
    of_plan = "session_id in (select session_id from marts.session_values where field = 'plan' and value = 'business')"
    users = dict(
        query(
            sample_folder,
            f"select subject_topic_id, count(distinct user_id) from marts.exchanges where {of_plan} group by 1",
        )
    )
    rows = read_table(for_viewers, "topics?compare_segment=plan%3Dfree&compare_segment=plan%3Dbusiness", "topics")
    few = [row for row in rows if 0 < users.get(row["topic_id"], 0) < MIN_USERS]
    assert few
    assert all(row[name] is None for row in few for name in ("before_count", "before_share", "unit_count"))
