"""Lists of exchanges, sessions, users and texts, the page of a session, and the way to them from a number."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from turret_pipeline.dashboard.access import Access, Viewer
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.dashboard.conftest import run_dashboard
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor

Get = Callable[[str], str]


@pytest.fixture
def get(dashboard: str) -> Get:
    """The HTML of a page of the sample."""
    return lambda path: get_page(f"{dashboard}/sample/{path}").raise_for_status().text


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with DataDir(folder).warehouse.open() as connection:
        rows: list[tuple[object, ...]] = connection.execute(sql).fetchall()
        return rows


def found(html: str) -> str:
    """The sentence with the counts."""
    sentence = re.search(r'<p class="found">(.*?)</p>', html, re.DOTALL)
    assert sentence is not None
    return re.sub(r"<[^>]+>", "", sentence[1])


def test_the_numbers_of_home_lead_to_lists_with_the_same_numbers(visitor: Visitor) -> None:
    for range_of_days in ("", "?since=2026-09-02&until=2026-09-29&segment=plan%3Dfree"):
        for number in range(3):
            visitor.visit(range_of_days)
            total = visitor.page.locator(".totals a").nth(number)
            count = int(total.locator("strong").inner_text().replace(",", ""))
            total.click()
            visitor.page.wait_for_load_state("load")
            assert visitor.count(".found") == count


def test_a_day_of_the_trend_leads_to_the_exchanges_of_that_day(visitor: Visitor) -> None:
    visitor.visit("?since=2026-09-02&until=2026-09-29")
    visitor.page.get_by_text("Table: Activity by day").click()
    cell = visitor.page.locator("details.data td a").first
    count = int(cell.inner_text().replace(",", ""))
    cell.click()
    assert visitor.count(".found") == count
    assert "on 2026-09-02" in visitor.page.locator(".conditions").inner_text()


def test_a_condition_can_be_removed(visitor: Visitor) -> None:
    visitor.visit("exchanges?topic=prompt-1&signal=corrected")
    narrow = visitor.count(".found")
    visitor.page.locator(".conditions a", has_text="corrected").click()
    assert visitor.count(".found") > narrow
    visitor.page.locator(".conditions a").click()
    assert visitor.page.locator(".conditions").count() == 0


def test_a_search_shows_prompts_with_the_text(visitor: Visitor) -> None:
    visitor.visit("exchanges")
    visitor.page.get_by_label("Prompts that contain").fill("REFUND")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    prompts = visitor.page.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert prompts
    assert all("refund" in prompt.lower() or prompt.endswith("…") for prompt in prompts)


def test_a_row_leads_to_its_turn_of_the_session(visitor: Visitor) -> None:
    visitor.visit("exchanges?signal=corrected")
    visitor.page.locator("tbody tr td a").first.click()
    visitor.page.wait_for_load_state("load")
    turn = visitor.page.locator(":target")
    assert "corrected" in turn.inner_text()


@pytest.mark.parametrize(
    ("path", "sql"),
    [
        ("exchanges?topic=prompt-3", "select exchange_count from marts.topics where topic_id = 'prompt-3'"),
        ("exchanges?signal=declined", "select count(*) from marts.exchange_signals where is_declined"),
        ("exchanges?rating=bad", "select count(*) from marts.exchange_signals where is_badly_rated"),
        ("exchanges?rating=any", "select count(*) from marts.exchanges where rating is not null"),
        ("exchanges?model=heron-1", "select count(*) from marts.exchanges where model = 'heron-1'"),
        (
            "texts?field=feedback&topic=feedback-1",
            "select event_count from marts.topics where topic_id = 'feedback-1'",
        ),
        (
            "sessions?node=prompt-3&dimension=prompt",
            "select session_count from marts.journey_nodes where dimension = 'prompt' and node_id = 'prompt-3'",
        ),
        (
            "sessions?start=prompt-3&dimension=prompt",
            "select start_count from marts.journey_nodes where dimension = 'prompt' and node_id = 'prompt-3'",
        ),
        (
            "sessions?end=prompt-3&dimension=prompt",
            "select end_count from marts.journey_nodes where dimension = 'prompt' and node_id = 'prompt-3'",
        ),
        (
            "sessions?outcome=answer_copied&topic=prompt-3",
            "select outcome_session_count from marts.topic_outcomes "
            "where topic_id = 'prompt-3' and outcome_event_name = 'answer_copied'",
        ),
        (
            "sessions?outcome=(struggle)&topic=prompt-3",
            "select outcome_session_count from marts.topic_outcomes "
            "where topic_id = 'prompt-3' and outcome_event_name = '(struggle)'",
        ),
    ],
)
def test_a_list_has_the_number_of_the_published_table(get: Get, sample_folder: Path, path: str, sql: str) -> None:
    ((count,),) = query(sample_folder, sql)
    assert found(get(path)).startswith(f"{count:,} ")


@pytest.mark.parametrize("dimension", ["prompt", "feedback", "event_name"])
def test_sessions_of_a_transition_or_path_are_as_many_as_published(
    get: Get, sample_folder: Path, dimension: str
) -> None:
    edges = query(
        sample_folder,
        "select from_node_id, to_node_id, session_count from marts.journey_edges "
        f"where dimension = '{dimension}' order by hash(from_node_id || to_node_id) limit 12",
    )
    for source, target, count in edges:
        html = get(f"sessions?dimension={dimension}&from={quote(str(source))}&to={quote(str(target))}")
        assert found(html).split()[0] == str(count)
    paths = query(
        sample_folder,
        "select path, is_whole_session, session_count from marts.journey_paths "
        f"where dimension = '{dimension}' order by hash(path) limit 12",
    )
    for nodes, is_whole, count in paths:
        assert isinstance(nodes, list)
        path = ">".join(["(start)", *nodes, "(end)"] if is_whole else nodes)
        assert found(get(f"sessions?dimension={dimension}&path={quote(path)}")).split()[0] == str(count)


def test_paging_shows_every_row_once(get: Get, dashboard: str) -> None:
    total = int(found(get("exchanges?model=heron-1")).split()[0])
    links = [
        link
        for number in range(1, -(-total // 100) + 1)
        for link in re.findall(r'<td><a href="(/sample/sessions/[^"]+)', get(f"exchanges?model=heron-1&page={number}"))
    ]
    assert len(links) == len(set(links)) == total
    answer = get_page(f"{dashboard}/sample/exchanges?model=heron-1&format=json")
    assert len(json.loads(answer.text)) == total


def test_downloads_have_all_rows(dashboard: str) -> None:
    for path, name in (("exchanges", "exchange_id"), ("sessions", "session_id"), ("users", "user_id")):
        text = get_page(f"{dashboard}/sample/{path}?format=csv").raise_for_status().text
        rows = list(csv.DictReader(io.StringIO(text)))
        html = get_page(f"{dashboard}/sample/{path}").text
        assert len({row[name] for row in rows}) == len(rows) == int(found(html).split()[0].replace(",", ""))


def test_the_turns_of_a_session_can_be_downloaded(dashboard: str, sample_folder: Path) -> None:
    ((session, count),) = query(
        sample_folder, "select session_id, count(*) from marts.exchanges group by all order by 2 desc, 1 limit 1"
    )
    turns = get_page(f"{dashboard}/sample/sessions/{session}?format=json").raise_for_status().json()
    assert [turn["exchange_number"] for turn in turns] == [*range(1, int(str(count)) + 1)]


@pytest.mark.parametrize(
    "path",
    [
        "exchanges?topic=unknown",
        "exchanges?own=1",
        "exchanges?signal=is_declined",
        "exchanges?rating=good",
        "exchanges?day=2026-99-99",
        "exchanges?day=9999-12-31",
        "exchanges?day=2026-09-01&week=2026-09-01",
        "exchanges?page=0",
        "exchanges?page=1e9",
        f"exchanges?search={'x' * 201}",
        "texts?field=none",
        "texts?outcome=none",
        "sessions?dimension=none",
        "sessions?node=none",
        "sessions?from=prompt-1",
        "sessions?path=(start)>(end)",
        "sessions?to=(other)&from=prompt-1",
        "sessions?outcome=none",
        "exchanges?until=9999-12-31",
    ],
)
def test_invalid_parameters_are_named(dashboard: str, path: str) -> None:
    answer = get_page(f"{dashboard}/sample/{path}")
    assert answer.status_code == 400
    assert '<p class="empty">' in answer.text


def test_an_unknown_session_is_not_found(dashboard: str) -> None:
    assert get_page(f"{dashboard}/sample/sessions/none").status_code == 404


def test_viewers_see_no_text_of_few_users(sample_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "identify", lambda *_, **__: Viewer("viewer", "token"))
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", "30")
    rare = "select topic_id from marts.topics where user_count < 30 and field = 'prompt'"
    ((session, topic),) = query(
        sample_folder,
        f"select session_id, subject_topic_id from marts.exchanges where subject_topic_id in ({rare}) "
        "order by all limit 1",
    )
    with run_dashboard(sample=sample_folder) as url:
        few = get_page(f"{url}/sample/exchanges?topic={topic}&user=u_0001")
        rows = get_page(f"{url}/sample/exchanges?format=json").json()
        turns = get_page(f"{url}/sample/sessions/{session}?format=json").json()
        page = get_page(f"{url}/sample/sessions/{session}").text
        user = get_page(f"{url}/sample/exchanges?user=u_0001")
        download = get_page(f"{url}/sample/exchanges?user=u_0001&format=csv")
    rare_topics = {row[0] for row in query(sample_folder, rare)}
    assert few.status_code == 200
    assert all(row["prompt"] is None for row in rows if row["topic_id"] in {*rare_topics, None})
    assert any(row["prompt"] is not None for row in rows)
    assert all(turn["prompt"] is None for turn in turns if turn["topic_id"] in {*rare_topics, None})
    assert "Prompt and answer are not shown" in page
    assert "Save this view" not in page
    assert "Fewer than 30 users match" in user.text
    assert download.status_code == 400
