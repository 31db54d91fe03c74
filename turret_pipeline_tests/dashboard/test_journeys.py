"""The pages of journeys: flows, transitions, paths, funnels, the step matrix, and the sessions behind each number."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import duckdb
import polars as pl
import pytest

from turret_pipeline.dashboard.page import Page
from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.reports.journey_scope import open_journeys
from turret_pipeline.reports.journey_transitions import read_transitions
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scope import parse_scope
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.tables import END, EVENT_NAME, OTHER
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor

RANGE = "since=2026-09-02&until=2026-09-29"


@pytest.fixture(scope="session")
def published(sample_folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(DataDir(sample_folder).warehouse.published), read_only=True) as connection:
        yield connection


def table(dashboard: str, path: str, name: str) -> pl.DataFrame:
    """A table of a page as downloaded."""
    mark = "&" if "?" in path else "?"
    answer = get_page(f"{dashboard}/sample/{path}{mark}format=json&table={name}").raise_for_status()
    return pl.read_json(answer.content, infer_schema_length=None)


def test_a_flow_is_drawn_and_a_click_on_a_topic_puts_it_into_the_middle(visitor: Visitor) -> None:
    visitor.visit("journeys")
    page = visitor.page
    page.wait_for_selector("#sankey canvas")
    target = page.locator("table tbody tr", has_text="1 after").locator("td:nth-child(3) a").nth(1)
    label = target.inner_text()
    target.click()
    assert page.locator("h2").first.inner_text() == f"Before and after {label}"
    page.wait_for_selector("#sankey canvas")
    assert visitor.count("section p a") > 0


def test_a_click_in_the_diagram_leads_to_the_flow_around_its_node(visitor: Visitor) -> None:
    visitor.visit("journeys?before=0&after=1")
    page = visitor.page
    page.wait_for_selector("#sankey canvas")
    place = page.evaluate("""() => {
        const view = echarts.getInstanceByDom(document.getElementById("sankey"));
        const data = view.getModel().getSeriesByIndex(0).getGraph();
        const node = data.nodes.find((one) => one.getModel().option.url && one.depth !== 0
            && one.getModel().option.kind === "node");
        const {x, y, dx, dy} = node.getLayout();
        return {x: x + dx / 2 + 4, y: y + dy / 2 + 8, name: node.getModel().option.label};
    }""")
    page.locator("#sankey canvas").click(position={"x": place["x"], "y": place["y"]})
    page.wait_for_url("**node=**")
    assert page.locator("h2").first.inner_text() == f"Before and after {place['name']}"


def test_a_hidden_node_is_gone_from_the_flow_until_it_is_shown_again(visitor: Visitor) -> None:
    visitor.visit("journeys?dimension=event_name&node=prompt_sent")
    page = visitor.page
    assert page.locator("table", has_text="answer_shown").count() == 1
    page.get_by_label("Hide").select_option("answer_shown")
    page.get_by_role("button", name="Show flow").press("Enter")
    assert page.locator("table tbody", has_text="answer_shown").count() == 0
    page.get_by_role("link", name="Hidden: answer_shown").click()
    assert page.locator("table tbody", has_text="answer_shown").count() == 1


def test_each_flow_leads_to_as_many_sessions(dashboard: str) -> None:
    path = f"journeys?{RANGE}&segment=plan%3Dfree&before=2&after=2&hide=prompt-2"
    flows = table(dashboard, path, "flows")
    assert flows.height > 10
    for row in flows.sort("session_count", descending=True).head(12).iter_rows(named=True):
        flow = {"of": "flow", "layer": row["layer"], "from": row["from_node_id"], "to": row["to_node_id"]}
        found = table(dashboard, f"journeys/sessions?{path.split('?')[1]}&{urlencode(flow)}", "sessions")
        assert found.height == row["session_count"]


BEFORE = "since=2026-08-05&until=2026-09-01"
"""The period of the same length before RANGE."""


@pytest.mark.parametrize(
    ("path", "name", "key"),
    [
        ("journeys?node=prompt-1&before=1&after=2", "flows", ("layer", "from_node_id", "to_node_id")),
        ("journeys/matrix?depth=3", "matrix", ("step_number", "node_id")),
    ],
)
def test_a_range_is_compared_with_the_period_before(dashboard: str, path: str, name: str, key: tuple[str, ...]) -> None:
    differences = table(dashboard, f"{path}&{RANGE}", "differences")
    named = ~pl.any_horizontal(pl.col(key).cast(pl.String) == OTHER)
    for period, prefix in ((RANGE, ""), (BEFORE, "other_")):
        rows = table(dashboard, f"{path}&{period}", name).filter(named)
        count, total, share = (f"{prefix}{column}" for column in ("session_count", "total", "share"))
        found = differences.filter(pl.col(count) > 0).select(*key, count, total, share)
        both = rows.select(*key, pl.col("session_count", "total", "share").name.suffix("_alone")).join(found, on=key)
        assert both.height > 5
        assert (both["session_count_alone"] == both[count]).all()
        assert (both["total_alone"] == both[total]).all()
        assert both["share_alone"].to_list() == pytest.approx(both[share].to_list())
    assert differences["q_value"].drop_nulls().is_sorted()


def test_tooltips_of_the_diagram_and_the_matrix_tell_the_change(visitor: Visitor) -> None:
    visitor.visit(f"journeys?{RANGE}")
    texts = [link["text"] for link in json.loads(str(visitor.page.locator("#sankey-data").text_content()))["links"]]
    assert any(re.search(r"before: [\d,]+ of [\d,]+ sessions, .* %; change [+-]", text) for text in texts)
    visitor.visit(f"journeys/matrix?{RANGE}")
    assert "before: " in str(visitor.page.locator("td a[title]").first.get_attribute("title"))
    visitor.visit(f"journeys/matrix?{RANGE}&compare=none")
    assert "before: " not in str(visitor.page.locator("td a[title]").first.get_attribute("title"))
    assert visitor.page.locator("#differences").count() == 0


def test_two_segments_are_compared_in_a_flow_and_a_matrix(visitor: Visitor) -> None:
    for path in ("journeys", "journeys/matrix"):
        visitor.visit(f"{path}?compare_segment=plan%3Dfree&compare_segment=plan%3Dteam")
        assert visitor.page.locator("#differences").inner_text() == "What differs between plan=free and plan=team"
        assert visitor.page.locator("table", has_text="Difference").locator("tbody tr").count() > 5


def test_the_total_of_a_flow_leads_to_its_sessions(visitor: Visitor) -> None:
    for path in ("journeys?group=theme", "journeys?start=prompt-1&node=prompt-2", "journeys?node=(start)"):
        visitor.visit(path)
        total = visitor.count("section p a")
        visitor.page.locator("section p a").first.click()
        assert visitor.count(".found") == total > 0


def test_a_click_on_a_number_shows_as_many_sessions(visitor: Visitor) -> None:
    for path in ("journeys/funnel?step=event:prompt_sent&step=event:answer_copied", "journeys"):
        visitor.visit(path)
        link = visitor.page.locator("table tbody tr").nth(1).locator("td.number a").first
        count = int(link.inner_text().split()[0].replace(",", ""))
        link.click()
        assert visitor.count(".found") == count > 0


def test_the_transitions_of_a_range_are_those_of_the_command(dashboard: str, sample_folder: Path) -> None:
    scope = parse_scope("2026-09-02", "2026-09-29", ["plan=free"])
    tables = PublishedTables(DataDir(sample_folder), 1)
    for dimension in ("prompt", "user:prompt", EVENT_NAME, "user:event_name"):
        edges = journey_edges(tables.visits(dimension, tables.sessions(scope)))
        with open_journeys(tables, scope, dimension) as connection:
            found = read_transitions(connection)
        counts = ["from_node_id", "to_node_id", "transition_count", "session_count", "user_count"]
        assert found.select(counts).rows() == edges.select(counts).rows()
        assert found["low"].to_list() == pytest.approx(edges["probability_low"].to_list())
        shown = table(
            dashboard, f"journeys/transitions?{RANGE}&segment=plan%3Dfree&dimension={dimension}", "transitions"
        )
        assert shown["transition_count"].sum() == edges["transition_count"].sum()


def test_a_transition_links_to_the_sessions_with_it(visitor: Visitor, published: duckdb.DuckDBPyConnection) -> None:
    visitor.visit("journeys/transitions?dimension=event_name&q=copied&sort=session_count")
    row = visitor.page.locator("table tbody tr", has_not_text="End").first
    source, target = (row.locator("td").nth(place).inner_text() for place in (0, 1))
    link = row.locator("td.number a").first
    query = parse_qs(urlsplit(str(link.get_attribute("href"))).query)
    assert (query["from"], query["to"], query["dimension"]) == ([source], [target], [EVENT_NAME])
    count = published.execute(
        "select count(distinct a.session_id) from marts.journey_steps a join marts.journey_steps b "
        "using (dimension, sequence_id) where a.step_number + 1 = b.step_number and dimension = ? "
        "and a.node_id = ? and b.node_id = ?",
        [EVENT_NAME, source, target],
    ).fetchall()
    assert [(int(link.inner_text().split()[0]),)] == count


def test_a_search_for_transitions_finds_names(visitor: Visitor) -> None:
    visitor.visit("journeys/transitions?dimension=event_name")
    visitor.page.get_by_label("Search").fill("COPIED")
    visitor.page.get_by_label("Search").press("Enter")
    rows = visitor.page.locator("table tbody tr").all_inner_texts()
    assert rows
    assert all("answer_copied" in row for row in rows)


def test_a_funnel_is_built_with_the_keyboard_only(visitor: Visitor, published: duckdb.DuckDBPyConnection) -> None:
    visitor.visit("journeys/funnel")
    page = visitor.page
    for number, value in ((1, "event:prompt_sent"), (2, "event:answer_copied")):
        choice = page.get_by_label(f"Step {number}", exact=True)
        choice.focus()
        for _ in range(100):
            if choice.input_value() != value:
                page.keyboard.press("ArrowDown")
        assert choice.input_value() == value
    page.get_by_label("Within").focus()
    page.keyboard.type("2h")
    page.keyboard.press("Enter")
    page.wait_for_url("**step=event**")
    rows = page.locator("table").first.locator("tbody tr")
    counts = [int(row.locator("td.number a").first.inner_text().split()[0]) for row in rows.all()]
    wanted = published.execute("""
        select count(distinct a.session_id), count(distinct b.session_id)
        from marts.events a left join marts.events b on a.session_id = b.session_id and b.event_name = 'answer_copied'
            and b.rowid > a.rowid and b.event_at - a.event_at <= interval 2 hour
        where a.event_name = 'prompt_sent'
    """).fetchall()
    assert [tuple(counts)] == wanted


def test_every_cell_of_the_matrix_leads_to_its_sessions(dashboard: str) -> None:
    cells = table(dashboard, "journeys/matrix?depth=3", "matrix")
    assert cells.group_by("step_number").agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1, 1, 1])
    for row in cells.tail(8).iter_rows(named=True):
        cell = urlencode({"of": "step", "depth": 3, "step": row["step_number"], "node": row["node_id"]})
        assert table(dashboard, f"journeys/sessions?{cell}", "sessions").height == row["session_count"]


@pytest.mark.parametrize(
    ("name", "of_sides", "key"),
    [
        ("end_differences", "ends", ["node_id"]),
        ("loop_differences", "loops", ["node_id", "other_node_id"]),
        ("path_differences", "paths", ["path"]),
    ],
)
def test_two_segments_are_compared(dashboard: str, name: str, of_sides: str, key: list[str]) -> None:
    found = table(dashboard, f"journeys/paths?{SIDES}", name)
    sides = [table(dashboard, f"journeys/paths?segment=plan%3D{plan}", of_sides) for plan in ("free", "team")]
    counts = [{str(row[:-1]): row[-1] for row in frame.select(*key, "session_count").iter_rows()} for frame in sides]
    assert found.height
    for row in found.iter_rows(named=True):
        at = str(tuple(row[name] for name in key))
        assert row["session_count"] == counts[0].get(at, 0)
        assert row["other_session_count"] == counts[1].get(at, 0)
        assert row["difference"] == pytest.approx(row["share"] - row["other_share"])


SIDES = "compare_segment=plan%3Dfree&compare_segment=plan%3Dteam"


def test_differences_have_q_values(dashboard: str) -> None:
    q_values = table(dashboard, f"journeys/transitions?{SIDES}", "differences")["q_value"].drop_nulls()
    assert q_values.len() > 0
    assert q_values.is_between(0, 1).all()


@pytest.mark.parametrize("name", ["start", "end", "loop", "path"])
def test_patterns_of_a_range_are_compared_with_the_time_before(dashboard: str, name: str) -> None:
    found = table(dashboard, f"journeys/paths?{RANGE}", f"{name}_differences")
    assert found.filter((pl.col("session_count") > 0) & (pl.col("other_session_count") > 0)).height


def test_a_range_is_compared_with_the_time_before(visitor: Visitor) -> None:
    visitor.visit(f"journeys/transitions?{RANGE}")
    assert "2026-08-05 to 2026-09-01" in visitor.page.locator("h2").first.inner_text()
    visitor.visit(f"journeys/transitions?{RANGE}&compare=none")
    assert "differs" not in visitor.page.locator("h2").first.inner_text()


HOSTILE = (
    "'; drop table x; --",
    "<script>alert(1)</script>",
    "../..",
    "\x00",
    "-1",
    "9" * 40,
    "\u202e",
    END,
    ">>",
    "é=1",
)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("journeys", ("node", "before", "after", "repeats", "hide", "group", "start", "end", "dimension", "page")),
        ("journeys/transitions", ("q", "sort", "order", "page", "compare_segment", "dimension")),
        ("journeys/paths", ("length", "page", "compare_segment")),
        ("journeys/funnel", ("step", "order", "within", "exclude", "compare_segment")),
        ("journeys/matrix", ("depth",)),
        ("journeys/sessions", ("of",)),
        *(
            (f"journeys/sessions?of={of}", ("node", "start", "end", "from", "to", "path", "layer", "step", "reached"))
            for of in ("flow", "funnel", "step", "path", "whole", "transition", "node", "start", "end")
        ),
    ],
)
def test_hostile_parameters_are_refused_or_harmless(dashboard: str, path: str, names: tuple[str, ...]) -> None:
    for name in names:
        for value in HOSTILE:
            mark = "&" if "?" in path else "?"
            pairs = [(name, value)] * (2 if name == "compare_segment" else 1)
            answer = get_page(f"{dashboard}/sample/{path}{mark}{urlencode(pairs)}")
            assert answer.status_code in {200, 400}, (path, name, value)
            assert "<script>alert" not in answer.text


def test_figures_of_few_users_are_not_shown(dashboard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "min_users", property(lambda _: 6))
    days = "since=2026-09-03&until=2026-09-29"
    for path, name in (
        (f"journeys?{days}", "flows"),
        (f"journeys/transitions?{days}", "transitions"),
        (f"journeys/paths?{days}", "starts"),
        (f"journeys/paths?{days}", "ends"),
        (f"journeys/paths?{days}&dimension=event_name", "loops"),
        (f"journeys/paths?{days}&dimension=event_name", "paths"),
        (f"journeys/matrix?{days}", "matrix"),
    ):
        shown = table(dashboard, path, name)
        assert shown.height
        assert shown.filter((pl.col("user_count") < 6) & ~pl.any_horizontal(pl.col(pl.String) == OTHER)).is_empty()
    funnel = table(dashboard, f"journeys/funnel?{days}&step=topic:prompt-1&step=topic:prompt-25", "funnel")
    assert funnel["session_count"][1] is None
    alone = f"journeys/sessions?{days}&of=funnel&step=topic:prompt-1&step=topic:prompt-25&reached=2"
    assert "Fewer than 6" in get_page(f"{dashboard}/sample/{alone}").text
    for path in ("transitions", "paths", "funnel?step=event:prompt_sent&step=event:answer_copied"):
        mark = "&" if "?" in path else "?"
        get_page(f"{dashboard}/sample/journeys/{path}{mark}{days}").raise_for_status()
