"""Journeys counted in SQL: the figures of the functions that commands use, on random sessions."""

import dataclasses
import random
from collections.abc import Iterator

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.funnel import HITS_SCHEMA, count_funnel
from turret_pipeline.journeys.loops import journey_loops
from turret_pipeline.journeys.matrix import step_matrix
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.journeys.paths import journey_paths
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.journeys.visits import VISITS_SCHEMA
from turret_pipeline.reports.journey_flows import (
    FlowOptions,
    define_flows,
    list_named_nodes,
    read_flows,
    select_flow_sequences,
)
from turret_pipeline.reports.journey_funnels import FunnelOptions, define_funnel, read_funnel, select_funnel_sequences
from turret_pipeline.reports.journey_matrix import read_matrix
from turret_pipeline.reports.journey_patterns import read_loops, read_paths
from turret_pipeline.reports.journey_scope import define_steps
from turret_pipeline.reports.journey_transitions import read_ends, read_transitions
from turret_pipeline.reports.node_names import Node
from turret_pipeline.reports.node_numbers import select_named
from turret_pipeline.storage.numbered_tables import write_numbered_tables
from turret_pipeline.tables import END, EVENT_NAME, OTHER, START, USER
from turret_pipeline_tests.journeys.rows import at, path

Connection = duckdb.DuckDBPyConnection


def draw_visits(seed: int, session_count: int = 60) -> pl.DataFrame:
    """Random sessions on five nodes, of users of whom some are unknown; some times are equal."""
    draw = random.Random(seed)
    rows, position = [], 0
    for session in range(session_count):
        user = draw.choice([None, *(f"u{number}" for number in range(15))])
        seconds = 0.0
        for _ in range(draw.randint(1, 7)):
            rows.append((EVENT_NAME, f"s{session:02}", user, draw.choice("aaabbcde"), at(seconds), position))
            position, seconds = position + 1, seconds + draw.choice([0, 5, 60, 700])
    return pl.DataFrame(rows, VISITS_SCHEMA, orient="row")


@pytest.fixture
def connection() -> Iterator[Connection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        yield connection


def load(connection: Connection, visits: pl.DataFrame) -> Connection:
    """The published tables of the visits, with all sessions in the scope."""
    steps, events = journey_steps(visits), visits.cast(dict.fromkeys(("sequence_id", "user_id", "node_id"), pl.String))
    sessions = events.group_by("sequence_id", maintain_order=True).agg(pl.col("user_id").first())
    events = events.sort("position")
    connection.execute("create table marts.journey_steps as from steps order by dimension, sequence_id, step_number")
    connection.execute(
        "create table marts.sessions as select sequence_id as session_id, user_id, "
        "timestamptz '2026-01-01' as started_at from sessions"
    )
    connection.execute(
        "create table marts.events as select 'e' || position as event_id, sequence_id as session_id, user_id, "
        "node_id as event_name, event_at, 0 as nanosecond, 'file' as source_file, position as line_number, "
        "0 as item_number from events order by position"
    )
    connection.execute("create table marts.topics (field text, topic_id text, theme_id text)")
    connection.execute(
        "create table marts.event_topics (event_id text, field text, topic_id text, continues_topic_id text)"
    )
    connection.execute(
        "create table marts.exchanges "
        "(field text, subject_topic_id text, session_id text, user_id text, prompt_at timestamptz)"
    )
    connection.execute("create table marts.session_values (field text, value text, session_id text)")
    write_numbered_tables(connection)
    select_sessions(connection, "true")
    define_steps(connection, EVENT_NAME, is_filtered=False)
    assert sessions.height or steps.is_empty()
    return connection


def select_sessions(connection: Connection, condition: str) -> None:
    """The scope has the sessions that fulfil the condition."""
    connection.execute(f"create or replace view scoped_sessions as from marts.sessions where {condition}")
    connection.execute(
        "create or replace view scoped_session_numbers as from numbered.sessions where session_number in "
        f"(select rowid from marts.sessions where {condition})"
    )
    connection.execute(
        "create or replace view scoped_visits as from numbered.visits "
        "where session_number in (select session_number from scoped_session_numbers)"
    )


@pytest.mark.parametrize("min_users", [1, 3])
@pytest.mark.parametrize("seed", [1, 2])
def test_transitions_are_those_of_journey_edges(connection: Connection, seed: int, min_users: int) -> None:
    visits = draw_visits(seed)
    found = read_transitions(load(connection, visits), min_users)
    edges = journey_edges(visits, min_users).drop("dimension")
    edges = edges.rename({"probability": "share", "probability_low": "low", "probability_high": "high"})
    counts = [name for name in edges.columns if not name.endswith("_seconds")]
    assert_frame_equal(found.select(counts), edges.select(counts), check_row_order=False)
    is_timed = (pl.col("from_node_id") != pl.col("to_node_id")) & ~pl.any_horizontal(
        pl.col("from_node_id", "to_node_id") == OTHER
    )
    times = ["from_node_id", "to_node_id", "median_seconds", "p95_seconds"]
    assert_frame_equal(
        found.filter(is_timed).select(times), edges.filter(is_timed).select(times), check_row_order=False
    )


@pytest.mark.parametrize("min_users", [1, 3])
def test_starts_and_ends_are_those_of_journey_nodes(connection: Connection, min_users: int) -> None:
    visits = draw_visits(3)
    load(connection, visits)
    labels = pl.DataFrame(schema={"dimension": pl.String, "node_id": pl.String, "node_label": pl.String})
    nodes = journey_nodes(visits, journey_edges(visits), labels, min_users)
    for name, is_start in (("start", True), ("end", False)):
        found = read_ends(connection, is_start=is_start, min_users=min_users).rename(
            {"session_count": f"{name}_count", "share": f"{name}_share"}
        )
        found = found.rename({"low": f"{name}_share_low", "high": f"{name}_share_high"})
        columns = ["node_id", *(one for one in found.columns if one in nodes.columns and one != "node_id")]
        wanted = nodes.filter(pl.col(f"{name}_count") > 0)
        assert found.height
        assert_frame_equal(found.select(columns), wanted.select(columns), check_row_order=False)


@pytest.mark.parametrize("min_users", [1, 3])
def test_loops_and_paths_are_those_of_the_published_tables(connection: Connection, min_users: int) -> None:
    visits = draw_visits(4)
    load(connection, visits)
    loops = journey_loops(journey_steps(visits), min_users).drop("dimension").rename({"session_share": "share"})
    assert_frame_equal(read_loops(connection, min_users).select(loops.columns), loops, check_row_order=False)
    paths = journey_paths(journey_steps(visits), min_users).drop("dimension").rename({"session_share": "share"})
    found = [read_paths(connection, length, min_users) for length in (None, 2, 3, 4, 5)]
    joined = pl.concat(found).select(paths.columns)
    by = pl.col("path").list.join(">")
    assert_frame_equal(joined.sort(by, "is_whole_session"), paths.sort(by, "is_whole_session"))


@pytest.mark.parametrize("min_users", [1, 3])
def test_the_matrix_is_that_of_step_matrix(connection: Connection, min_users: int) -> None:
    visits = draw_visits(5)
    found = read_matrix(load(connection, visits), 4, 3, min_users)
    wanted = step_matrix(journey_steps(visits), 4, 3, min_users).rename({"share_low": "low", "share_high": "high"})
    assert_frame_equal(found.select(wanted.columns), wanted)


@pytest.mark.parametrize("is_any_order", [False, True])
@pytest.mark.parametrize("within", [None, 300.0])
@pytest.mark.parametrize("steps", ["ab", "aab", "cde"])
def test_a_funnel_is_that_of_count_funnel(
    connection: Connection, steps: str, within: float | None, is_any_order: bool
) -> None:
    if is_any_order and steps == "aab":
        return  # the same step twice has no order
    visits = draw_visits(6, 200)
    load(connection, visits)
    nodes = tuple(event(name) for name in steps)
    options = FunnelOptions(nodes, is_any_order=is_any_order, within_seconds=within)
    define_funnel(connection, options)
    found = read_funnel(connection, options)
    sessions = visits.group_by("sequence_id").agg(pl.col("user_id").first())
    hits = pl.concat(
        visits.filter(pl.col("node_id").cast(pl.String) == name)
        .with_columns(pl.lit(number).alias("step"))
        .select(pl.col(column).cast(kind) for column, kind in HITS_SCHEMA.items())
        for number, name in enumerate(steps)
    )
    wanted = count_funnel(
        hits, sessions.cast({"sequence_id": pl.String, "user_id": pl.String}), len(steps), within,
        is_any_order=is_any_order,
    )  # fmt: skip
    assert wanted["session_count"][1] > 0
    assert_frame_equal(found.select(wanted.columns), wanted)
    for number, count in enumerate(found["session_count"]):
        assert len(connection.sql(select_funnel_sequences(number)).fetchall()) == count


def event(name: str) -> Node:
    return Node("event", EVENT_NAME, name, name, (name,))


def test_an_excluded_node_between_the_first_and_the_last_step_ends_a_series(connection: Connection) -> None:
    visits = pl.concat([path("s1", "ab"), path("s2", "axb"), path("s3", "axab"), path("s4", "abx"), path("s5", "xab")])
    load(connection, visits.with_columns(pl.int_range(pl.len()).alias("position")))
    for is_any_order in (False, True):
        options = FunnelOptions((event("a"), event("b")), is_any_order=is_any_order, excluded=(event("x"),))
        define_funnel(connection, options)
        assert read_funnel(connection, options)["session_count"].to_list() == [5, 4]


def test_a_funnel_without_sessions_has_null_shares(connection: Connection) -> None:
    load(connection, draw_visits(1, 0))
    options = FunnelOptions((event("a"), event("b")))
    define_funnel(connection, options)
    found = read_funnel(connection, options)
    assert found["session_count"].to_list() == [0, 0]
    assert found["share_of_all"].to_list() == [None, None]


def flows_of(connection: Connection, options: FlowOptions, min_users: int = 1) -> set[tuple[int, str, str, int]]:
    define_flows(connection, EVENT_NAME, options, min_users)
    frame = read_flows(connection, options)
    for layer, source, target, count in frame.select(
        "layer", "from_node_id", "to_node_id", "session_count"
    ).iter_rows():
        found = connection.sql(select_flow_sequences(layer, source, target)).fetchall()
        assert len(set(found)) == count
    return set(frame.select("layer", "from_node_id", "to_node_id", "session_count").iter_rows())


@pytest.fixture
def four(connection: Connection) -> Connection:
    """Four sessions."""
    visits = pl.concat([path("s1", "abc"), path("s2", "bbc"), path("s3", "xbca"), path("s4", "aa", "u2")])
    return load(connection, visits.with_columns(pl.int_range(pl.len()).alias("position")))


def test_flows_are_before_and_after_the_first_visit_to_a_node(four: Connection) -> None:
    assert flows_of(four, FlowOptions("b", 1, 2)) == {
        (-1, "a", "b", 1), (-1, START, "b", 1), (-1, "x", "b", 1),
        (0, "b", "c", 3), (1, "c", END, 2), (1, "c", "a", 1),
    }  # fmt: skip


def test_flows_from_the_start_and_to_the_end(four: Connection) -> None:
    assert flows_of(four, FlowOptions(START, 3, 1)) == {(0, START, "a", 2), (0, START, "b", 1), (0, START, "x", 1)}
    assert flows_of(four, FlowOptions(END, 1, 3)) == {(-1, "c", END, 2), (-1, "a", END, 2)}


@pytest.mark.parametrize("node", [START, END, "b"])
@pytest.mark.parametrize("distance", [1, 3, 4, 5])
def test_flows_of_stored_steps_are_those_of_steps_made_again(connection: Connection, node: str, distance: int) -> None:
    load(connection, draw_visits(5, 200))
    options = FlowOptions(node, distance, distance)
    with_nothing_hidden = dataclasses.replace(options, hidden=("not a node",))
    assert flows_of(connection, options) == flows_of(connection, with_nothing_hidden)


def test_repeats_are_steps_if_asked_for(four: Connection) -> None:
    found = flows_of(four, FlowOptions("b", 0, 1, is_repeated=True))
    assert found == {(0, "b", "b", 1), (0, "b", "c", 2)}


def test_hidden_nodes_are_passed_over(four: Connection) -> None:
    assert flows_of(four, FlowOptions("b", 1, 1, hidden=("c",))) == {
        (-1, "a", "b", 1), (-1, START, "b", 1), (-1, "x", "b", 1), (0, "b", END, 2), (0, "b", "a", 1),
    }  # fmt: skip


def test_flows_of_sessions_with_a_start_or_an_end(four: Connection) -> None:
    assert flows_of(four, FlowOptions("b", 1, 0, start="a")) == {(-1, "a", "b", 1)}
    assert flows_of(four, FlowOptions("b", 0, 1, end="a")) == {(0, "b", "c", 1)}


def test_topics_of_one_theme_are_one_node(four: Connection) -> None:
    four.execute(f"insert into marts.topics values ('{EVENT_NAME}', 'b', 't1'), ('{EVENT_NAME}', 'c', 't1')")
    four.execute("drop schema numbered cascade")
    write_numbered_tables(four)
    assert flows_of(four, FlowOptions("t1", 1, 1, by_theme=True)) == {
        (-1, "a", "t1", 1), (-1, START, "t1", 1), (-1, "x", "t1", 1), (0, "t1", END, 2), (0, "t1", "a", 1),
    }  # fmt: skip


def test_flows_of_few_users_go_to_other(four: Connection) -> None:
    found = flows_of(four, FlowOptions(START, 0, 1), 2)
    assert found == {(0, START, "a", 2), (0, START, OTHER, 2)}


def test_flows_can_have_the_nodes_of_another_scope(four: Connection) -> None:
    options = FlowOptions("b", before=1, after=0)
    for named, expected in (({-1: ["a"]}, {"a", START, OTHER}), ({}, {START, OTHER}), ({-1: ["q"]}, {START, OTHER})):
        define_flows(four, EVENT_NAME, options, named=named)
        flows = read_flows(four, options)
        assert set(flows["from_node_id"]) == expected
        assert flows["session_count"].sum() == 3
    define_flows(four, EVENT_NAME, options)
    assert list_named_nodes(read_flows(four, options)) == {-1: ("a", "x"), 0: ("b",)}


def test_a_matrix_can_have_the_rows_of_another_scope(connection: Connection) -> None:
    rows = read_matrix(load(connection, draw_visits(3)), 3, 1, named=["b", "c"])
    assert set(rows["node_id"]) == {"b", "c", OTHER, END}
    assert rows.filter(step_number=1)["session_count"].sum() == rows["total"][0]


def test_steps_of_users_are_counted_from_events_if_sessions_are_filtered(connection: Connection) -> None:
    visits = pl.concat([path("s1", "ab"), path("s2", "bc"), path("s3", "dd")])
    load(connection, visits.with_columns(pl.int_range(pl.len()).alias("position")))
    select_sessions(connection, "session_id <> 's3'")
    define_steps(connection, USER + EVENT_NAME, is_filtered=True)
    steps = select_named("select * from scoped_steps", "node", "next_node")
    found = connection.sql(f"select sequence, step_number, node_id, next_node_id, event_count from ({steps})")
    assert set(found.fetchall()) == {(0, 1, "a", "b", 1), (0, 2, "b", "c", 2), (0, 3, "c", None, 1)}
    assert connection.sql("select count(*) from scoped_sequences").fetchall() == [(1,)]


def test_filtered_sessions_keep_their_order_of_steps(connection: Connection) -> None:
    load(connection, draw_visits(7, 300))
    select_sessions(connection, "session_id like '%1'")
    define_steps(connection, EVENT_NAME, is_filtered=True)
    wrong = connection.sql("""
        with steps as (
            select session_id, step_number, node from marts.journey_steps join numbered.nodes using (node_id)
        )
        select count(*) filter (a.next_node is distinct from b.node), count(*)
        from scoped_steps a join (select rowid, session_id from marts.sessions) as sessions on sessions.rowid = sequence
        left join steps b on sessions.session_id = b.session_id and b.step_number = a.step_number + 1
    """).fetchall()
    assert wrong[0][0] == 0
    assert wrong[0][1] > 0
