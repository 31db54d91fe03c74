"""SQL: queries that read are answered, and nothing else is possible."""

import re
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import pytest
from playwright.sync_api import expect

from turret_pipeline.dashboard.queries import MAX_ROWS, run_query
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.commands import warehouse
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one table of schema marts."""
    path = tmp_path_factory.mktemp("sql") / "turret.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create table marts.topics as select 'A' as label, 7 as event_count")
    return path


FORBIDDEN = {
    "drop table topics": "Only queries that read",
    "select 1; drop table topics": "Write one statement: these are 2",
    "": "Write one statement: these are 0",
    "copy topics to '/tmp/out.csv'": "Only queries that read",
    "attach '/tmp/other.duckdb'": "Only queries that read",
    "set memory_limit = '90GB'": "Only queries that read",
    "install httpfs": "Only queries that read",
    "select * from read_text('/etc/hostname')": "file system operations are disabled",
    "select * from '/etc/hostname.csv'": "file system operations are disabled",
    "select * from glob('/*')": "file system operations are disabled",
    "from connection": "connection does not exist",
    "select * from nothing": "nothing does not exist",
    "selec 1": "syntax error",
}


@pytest.mark.parametrize("query", FORBIDDEN)
def test_what_does_not_only_read_is_rejected_with_a_reason(file: Path, query: str) -> None:
    before = file.read_bytes()

    with pytest.raises(TurretError, match=FORBIDDEN[query]):
        run_query(file, query)
    assert file.read_bytes() == before


def test_numbers_stay_numbers_and_other_values_become_texts(file: Path) -> None:
    query = "select label, event_count, 1.5 as d, [1, 2] as l, null as n, 1 as label from topics"

    assert run_query(file, query).frame.to_dicts() == [
        {"label": "A", "event_count": 7, "d": 1.5, "l": "[1, 2]", "n": None, "label_6": 1}
    ]


def test_rows_beyond_the_limit_are_cut_and_it_is_said(file: Path) -> None:
    result = run_query(file, f"from range({MAX_ROWS + 5})")

    assert (result.frame.height, result.is_cut) == (MAX_ROWS, True)
    assert not run_query(file, f"from range({MAX_ROWS})").is_cut


def test_a_query_that_needs_much_memory_is_stopped(file: Path) -> None:
    with pytest.raises(TurretError, match=r"memory|MB"):
        run_query(file, "select list(range) from range(200000000)")


def test_a_query_is_written_run_drawn_downloaded_and_shared(visitor: Visitor, sample_folder: Path) -> None:
    page = visitor.page
    visitor.visit("sql")
    page.get_by_label("A query over the tables").fill(
        "select prompt_at::date as day, count(*) as prompts from exchanges group by day order by day"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("columnheader", name="prompts")).to_be_visible()
    expect(page.locator("svg.chart title").first).to_have_text("prompts by day")

    url = page.url
    rows = get_page(f"{url}&format=json").raise_for_status().json()
    with duckdb.connect(str(warehouse(sample_folder)), read_only=True) as connection:
        exchanges = connection.execute("select count(*) from marts.exchanges").fetchall()[0][0]
    assert sum(row["prompts"] for row in rows) == exchanges
    assert visitor.count(".downloads") == len(rows)
    visitor.visit("")
    page.goto(url)
    expect(page.get_by_role("columnheader", name="prompts")).to_be_visible()


@pytest.mark.parametrize(
    ("query", "bars"),
    [
        ("select * from (values ('team', 4), ('free', 9), (null, null)) as counts (plan, sessions)", ["4", "9"]),
        ("select * from (values ('up', 1.5), ('down', -0.5)) as changes (name, change)", ["1.5", "-0.5"]),
        ("select * from (values ('<b>', 1), ('nothing', 'nan'::double)) as counts (name, number)", ["1"]),
        ("select 'name ' || range as name, range from range(31)", []),
        ("select 'one' as name, 1 as number", []),
    ],
)
def test_numbers_by_name_are_bars(dashboard: str, query: str, bars: list[str]) -> None:
    page = get_page(f"{dashboard}/sample/sql?{urlencode({'query': query})}").text
    rows = re.findall(
        r'<rect class="bar" x="([\d.]+)" y="\d+" width="([\d.]+)" height="\d+"><title>(.*?): (.*?)<', page
    )
    assert [note for _, width, _, note in rows if float(width)] == bars
    assert "<b>" not in page


def test_a_negative_bar_ends_where_the_others_begin(dashboard: str) -> None:
    query = "select * from (values ('up', 3), ('down', -1)) as changes (name, change)"
    page = get_page(f"{dashboard}/sample/sql?{urlencode({'query': query})}").text
    up, down = re.findall(r'class="bar" x="([\d.]+)" y="\d+" width="([\d.]+)"', page)
    assert float(down[0]) + float(down[1]) == pytest.approx(float(up[0]), abs=0.2)
    assert float(up[1]) == pytest.approx(3 * float(down[1]), abs=0.4)


def test_an_error_is_shown_beside_the_query(visitor: Visitor) -> None:
    visitor.visit("sql?query=select+%3Cb%3E+from+topics")

    expect(visitor.page.get_by_role("alert")).to_contain_text("syntax error")
    assert visitor.page.locator("textarea").input_value() == "select <b> from topics"
