"""`turret journeys` on the published file of the sample."""

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import networkx as nx
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.commands import installed_turret, open_published
from turret_pipeline_tests.conftest import Job

QUESTIONS: list[list[str]] = [
    ["overview"], ["from", "prompt-1"], ["to", "prompt-1"], ["funnel", "prompt_sent", "answer_copied"], ["steps"],
    ["compare", "plan=business", "--all"], ["outcomes", "answer_copied", "--all"],
    ["outcomes", "(struggle)", "--all"], ["struggles", "--all"],
]  # fmt: skip


@pytest.fixture
def folder(sample_job: Job) -> Path:
    return sample_job.data_dir


def run_journeys(folder: Path, *arguments: str) -> str:
    """The output of `turret journeys`."""
    done = CliRunner().invoke(app, ["journeys", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rows(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run_journeys(folder, *arguments, "--json"))
    return found


def error(folder: Path, *arguments: str) -> str:
    with pytest.raises(TurretError) as raised:
        run_journeys(folder, *arguments)
    return str(raised.value)


def sql(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with open_published(folder) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda words: words[0])
def test_each_question_is_answered_as_a_table_as_json_and_as_csv(folder: Path, question: list[str]) -> None:
    found = rows(folder, *question)
    assert found
    table = list(csv.DictReader(io.StringIO(run_journeys(folder, *question, "--csv"))))
    assert [list(row) for row in table] == [list(row) for row in found]
    printed = run_journeys(folder, *question)
    assert "prompt-" not in printed.replace(question[-1], "")  # names, no ids
    assert all(len(line.rstrip()) <= 120 for line in printed.splitlines())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda words: words[0])
def test_without_matching_sessions_a_message_says_so(folder: Path, question: list[str]) -> None:
    assert rows_without_sessions(folder, *question) == []
    printed = run_journeys(folder, *question, "--since", "2031-01-01")
    assert "No matching sessions in" in printed or "too few sessions to compare" in printed


def rows_without_sessions(folder: Path, *question: str) -> object:
    done = CliRunner().invoke(
        app,
        ["journeys", *question, "--json", "--since", "2031-01-01", "--data-dir", str(folder)],
        catch_exceptions=False,
    )
    return json.loads(done.stdout)


def test_the_overview_matches_the_published_tables(folder: Path) -> None:
    found = rows(folder, "overview")
    starts = {row["node_id"]: (row["count"], row["share"]) for row in found if row["question"] == "start"}
    nodes = sql(folder, "select node_id, start_count, start_share from marts.journey_nodes where dimension = 'prompt'")
    assert starts == {node: (count, pytest.approx(share)) for node, count, share in nodes if count}
    moves = {(row["node_id"], row["other_node_id"]): row["count"] for row in found if row["question"] == "follow_up"}
    edges = sql(
        folder,
        "select from_node_id, to_node_id, transition_count from marts.journey_edges where dimension = 'prompt' "
        "and from_node_id != to_node_id and from_node_id != '(start)' and to_node_id != '(end)' "
        "and session_count >= 5",
    )
    assert moves == {(source, target): count for source, target, count in edges}
    bounces = {(row["node_id"], row["other_node_id"]): row["count"] for row in found if row["question"] == "bounce"}
    loops = sql(
        folder,
        "select node_id, other_node_id, session_count from marts.journey_loops where dimension = 'prompt' "
        "and session_count >= 5",
    )
    assert bounces == {(node, other): count for node, other, count in loops}
    ends = {row["node_id"]: (row["count"], row["of"]) for row in found if row["question"] == "end"}
    nodes = sql(
        folder,
        "select node_id, end_count, session_count from marts.journey_nodes where dimension = 'prompt' "
        "and end_count > 0 and session_count >= 10 "
        "and node_id not in (select topic_id from marts.topics where role = 'continuation')",
    )
    assert ends == {node: (count, of) for node, count, of in nodes}


def test_before_and_after_a_node_are_its_edges(folder: Path) -> None:
    for command, here, there in (("from", "from_node_id", "to_node_id"), ("to", "to_node_id", "from_node_id")):
        found = {row["node_id"]: row["transition_count"] for row in rows(folder, command, "prompt_sent")}
        edges = sql(
            folder,
            f"select {there}, transition_count from marts.journey_edges "
            f"where dimension = 'event_name' and {here} = 'prompt_sent'",
        )
        assert found == dict(edges)


def test_a_funnel_is_what_a_query_finds(folder: Path) -> None:
    found = rows(folder, "funnel", "prompt_sent", "answer_copied", "export_downloaded")
    first, second, third = (row["session_count"] for row in found)
    firsts = (
        "select session_id, min(event_at) as first_at from marts.events where event_name = 'prompt_sent' group by all"
    )
    assert sql(folder, f"select count(*) from ({firsts})") == [(first,)]
    seconds = (
        f"select session_id, min(event_at) as second_at from marts.events join ({firsts}) using (session_id) "
        "where event_name = 'answer_copied' and event_at > first_at group by all"
    )
    assert sql(folder, f"select count(*) from ({seconds})") == [(second,)]
    assert first > second > third > 0
    assert rows(folder, "funnel", "prompt_sent", "answer_copied", "--within", "20s")[1]["session_count"] < second


def test_steps_of_a_funnel_are_topics_themes_and_events_by_name(folder: Path) -> None:
    ((topic_id, label, theme_id, theme),) = sql(
        folder, "select topic_id, label, theme_id, theme_label from marts.topics where field = 'prompt' limit 1"
    )
    found = rows(folder, "funnel", label.lower(), f"theme:{theme}", "event:answer_copied", theme_id)
    assert [(row["kind"], row["id"]) for row in found] == [
        ("topic", topic_id), ("theme", theme_id), ("event", "answer_copied"), ("theme", theme_id),
    ]  # fmt: skip
    of_users = rows(folder, "funnel", topic_id, "answer_copied", "--dimension", "user:prompt")
    assert of_users[0]["session_count"] == of_users[0]["user_count"]


def test_the_shares_of_each_step_sum_to_one(folder: Path) -> None:
    found = rows(folder, "steps", "--depth", "3", "--top", "4")
    for step in (1, 2, 3):
        assert sum(row["share"] for row in found if row["step_number"] == step) == pytest.approx(1)
    assert {row["node"] for row in found} >= {"(other)", "(end)"}


def test_filters_narrow_the_sessions_down(folder: Path) -> None:
    def sessions(*options: str) -> int:
        of = {
            row["of"]
            for row in rows(folder, "overview", "--dimension", "event_name", *options)
            if row["question"] == "start"
        }
        return int(of.pop())

    ((everyone, in_august),) = sql(
        folder, "select count(*), count(*) filter (started_at < '2026-09-01 00:00:00+00') from marts.sessions"
    )
    assert sessions() == everyone
    assert sessions("--until", "2026-08-31") == in_august
    assert sessions("--since", "2026-09-01") == everyone - in_august
    by_plan = [sessions("--segment", f"plan={plan}") for plan in ("free", "team", "business")]
    assert everyone - 10 < sum(by_plan) <= everyone
    assert sessions("--segment", "plan=team", "--segment", "plan=free") == by_plan[0] + by_plan[1]
    assert sessions("--segment", "plan=team", "--segment", "platform=ios", "--since", "2026-09-01") < by_plan[1] / 2


def test_differences_between_two_months_have_intervals(folder: Path) -> None:
    """The product pictures of the sample begin in September."""
    found = rows(folder, "compare", "--period", "2026-09-01..2026-09-30", "--period", "2026-08-01..2026-08-31")
    largest = found[0]
    assert largest["measure"] == "visit"
    assert largest["difference"] > 0
    assert largest["difference_low"] > 0
    assert largest["q_value"] <= 0.05
    examples = sql(folder, f"select example_texts from marts.topics where topic_id = '{largest['to_node_id']}'")[0][0]
    assert any(word in " ".join(examples).lower() for word in ("photo", "picture", "image"))
    turned = rows(folder, "compare", "--period", "2026-08-01..2026-08-31", "--period", "2026-09-01..2026-09-30")
    assert turned[0]["difference"] == pytest.approx(-largest["difference"])
    assert "differences tested (q: Benjamini-Hochberg)" in run_journeys(folder, "compare", "--period", "29d")


def test_the_graph_is_written_to_a_file_or_to_the_output(folder: Path, tmp_path: Path) -> None:
    run_journeys(folder, "export", "--format", "gexf", "--output", str(tmp_path / "graph.gexf"))
    graph = nx.read_gexf(tmp_path / "graph.gexf")
    edges = sql(folder, "select count(*) from marts.journey_edges where dimension = 'prompt'")
    assert (graph.number_of_edges(),) == edges[0]
    assert run_journeys(folder, "export", "--format", "dot", "--dimension", "event_name").startswith(
        "digraph journeys {"
    )


def test_figures_of_too_few_users_are_suppressed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = ("funnel", "prompt_sent", "export_downloaded", "answer_copied", "--within", "5m")
    everyone, *_, few = rows(folder, *question)
    threshold = few["user_count"] + 1
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", str(threshold))
    suppressed = rows(folder, *question)
    assert 0 < few["user_count"] < everyone["user_count"]
    assert suppressed[-1]["session_count"] is None
    assert suppressed[0]["session_count"] == everyone["session_count"]
    found = [row["user_count"] for row in rows(folder, "steps") if row["node"] not in {"(other)", "(end)"}]
    assert min(found) >= threshold
    assert min(row["count"] for row in rows(folder, "overview")) >= threshold


def test_invalid_questions_are_rejected_with_a_fix(folder: Path) -> None:
    assert error(folder, "overview", "--dimension", "promt").startswith(
        "Unknown dimension 'promt'. Available: event_name, feedback, prompt, user:event_name, "
    )
    assert (
        error(folder, "overview", "--segment", "plan")
        == "Invalid segment 'plan': use FIELD=VALUE, for example plan=team."
    )
    assert error(folder, "overview", "--segment", "colour=red").startswith(
        "Unknown enum field 'colour'. Available: format, "
    )
    assert (
        error(folder, "overview", "--segment", "plan=gold")
        == "No event has plan = 'gold'. Values of plan: free, team, business."
    )
    assert (
        error(folder, "overview", "--since", "yesterday")
        == "Invalid day 'yesterday': use 2026-03-01 or 2026-03-01T12:00."
    )
    assert "is after --until 2026-09-01: swap the two" in error(
        folder, "steps", "--since", "2026-09-02", "--until", "2026-09-01"
    )
    assert error(folder, "from", "answer_coped").startswith(
        "Unknown topic or event 'answer_coped'. Examples: answer_copied, "
    )
    assert "'answer_' is ambiguous: it matches answer_copied, answer_shown. Use the full label" in error(
        folder, "to", "answer_"
    )
    for text in ("20260815", "2026-W33", "2026-13-01"):
        assert f"Invalid day {text!r}: use 2026-03-01" in error(folder, "overview", "--until", text)
    assert "cannot be combined with --since or --until" in error(
        folder, "compare", "--period", "7d", "--since", "2026-08-01"
    )
    assert "use FIRST..LAST" in error(folder, "compare", "--period", "0d")
    assert "use FIRST..LAST" in error(folder, "compare", "--period", "..2026-09-01")
    assert "Invalid duration '2 months': use 90s" in error(
        folder, "funnel", "prompt_sent", "answer_copied", "--within", "2 months"
    )
    assert error(folder, "export", "--output", str(folder / "nowhere" / "graph.gexf")).startswith("The folder ")
    assert "Unknown topic, event or theme 'zzz'" in error(folder, "funnel", "prompt_sent", "zzz")
    assert error(folder, "funnel", "prompt_sent") == "A funnel needs two steps or more: add one to 'prompt_sent'."
    assert "given only once" in error(folder, "funnel", "prompt_sent", "prompt_sent", "--any-order")
    assert error(folder, "funnel", "prompt_sent", "answer_copied", "--within", "soon").startswith(
        "Invalid duration 'soon'"
    )
    assert error(folder, "compare").startswith("Compare either segments (plan=team) or a --period (7d)")
    assert error(folder, "compare", "plan=team", "--period", "7d").startswith("Compare either segments")
    assert "sessions belong to both plan=team and platform=ios" in error(folder, "compare", "plan=team", "platform=ios")
    assert "overlap" in error(
        folder, "compare", "--period", "2026-08-01..2026-08-20", "--period", "2026-08-10..2026-08-30"
    )
    assert "ends before it begins" in error(folder, "compare", "--period", "2026-08-20..2026-08-01")
    assert "use FIRST..LAST" in error(folder, "compare", "--period", "last week")
    assert "use --dimension prompt" in error(folder, "compare", "plan=team", "--dimension", "user:prompt")
    assert "outcomes need a text field" in error(folder, "outcomes", "answer_copied", "--dimension", "event_name")
    assert "struggles need a text field" in error(folder, "struggles", "--dimension", "user:event_name")
    assert error(folder, "export", "--format", "svg") == (
        "Unknown graph format 'svg'. Available: graphml, gexf, json, dot."
    )
    assert error(folder, "steps", "--json", "--csv") == "--json and --csv cannot be combined: choose one of them."


def test_without_a_published_file_the_message_says_what_to_run(tmp_path: Path) -> None:
    done = installed_turret("journeys", "overview", "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Nothing is published in {tmp_path} yet: run turret run --data-dir {tmp_path} first, "
        "or choose another folder with --data-dir.\n"
    )


def test_a_file_of_another_version_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    with duckdb.connect(str(tmp_path / "warehouse" / "turret.duckdb")) as connection:
        connection.execute("create schema marts")
    message = f"was published by another version: publish it again with turret run --data-dir {tmp_path}."
    assert message in error(tmp_path, "overview")


@pytest.mark.parametrize(
    "command", ["overview", "from", "to", "funnel", "steps", "compare", "outcomes", "struggles", "export"]
)
def test_the_help_of_each_command_has_examples(command: str) -> None:
    printed = CliRunner().invoke(app, ["journeys", command, "--help"]).output
    assert f"turret journeys {command}" in printed.split("Example")[1]


def test_moments_are_converted_to_utc(folder: Path) -> None:
    printed = run_journeys(folder, "overview", "--until", "2026-08-15T12:00:00+05:00")
    assert "before 2026-08-15 07:00" in printed
    assert printed == run_journeys(folder, "overview", "--until", "2026-08-15T07:00")


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (("outcomes", "export_downloaded", "--since", "2026-09-29"), "too few sessions to compare"),
        # event names: what topics the machine finds would decide whether any differs
        (
            ("compare", "--period", "2026-08-10..2026-08-12", "--period", "2026-08-13..2026-08-15",
             "--dimension", "event_name"),
            "none of 22 differences is significant",
        ),
    ],
)  # fmt: skip
def test_without_a_difference_json_has_no_rows_and_stderr_the_reason(
    folder: Path, question: tuple[str, ...], reason: str
) -> None:
    command = ["journeys", *question, "--json", "--data-dir", str(folder)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert json.loads(done.stdout) == []
    assert reason in done.stderr


def test_a_period_that_begins_before_the_data_gives_a_warning(folder: Path) -> None:
    command = ["journeys", "compare", "--period", "2026-08-10..2026-09-29", "--data-dir", str(folder)]
    assert "The data begin on 2026-08-01" in CliRunner().invoke(app, command, catch_exceptions=False).stderr


def test_topics_with_the_same_label_are_told_apart_by_id(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "warehouse", tmp_path / "warehouse")
    with duckdb.connect(str(tmp_path / "warehouse" / "turret.duckdb")) as connection:
        connection.execute("update marts.topics set label = 'Same' where topic_id in ('prompt-1', 'prompt-2')")
        connection.execute(
            "update marts.journey_nodes set node_label = 'Same' where node_id in ('prompt-1', 'prompt-2')"
        )
    message = error(tmp_path, "from", "same")
    assert message == "'same' is ambiguous: it matches Same (prompt-1), Same (prompt-2). Use the full label or the id."
    assert run_journeys(tmp_path, "from", "Same (prompt-2)") == run_journeys(tmp_path, "from", "prompt-2")
    assert "Same (prompt-1)" in run_journeys(tmp_path, "overview", "--top", "40")


def test_struggles_of_all_sessions_are_those_of_the_published_table(folder: Path) -> None:
    for dimension in ("prompt", "user:prompt"):
        found = rows(folder, "struggles", "--all", "--dimension", dimension)
        with duckdb.connect(str(folder / "warehouse" / "turret.duckdb"), read_only=True) as connection:
            expected = connection.execute(
                "select from_node_id, to_node_id, move_count, struggle_count, difference, q_value "
                "from marts.journey_struggles where dimension = ?",
                [dimension],
            ).fetchall()
        columns = ("from_node_id", "to_node_id", "move_count", "struggle_count", "difference", "q_value")
        assert sorted(tuple(row[name] for name in columns) for row in found) == sorted(expected)
        assert expected


def test_struggles_after_topics_are_those_of_the_published_table(folder: Path) -> None:
    found = {row["topic_id"]: row["outcome_session_count"] for row in rows(folder, "outcomes", "(struggle)", "--all")}
    with duckdb.connect(str(folder / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        expected = connection.execute(
            "select topic_id, outcome_session_count from marts.topic_outcomes "
            "where field = 'prompt' and outcome_event_name = '(struggle)'"
        ).fetchall()
    assert found == dict(expected)
    assert found


def test_moves_after_which_exchanges_go_wrong_are_a_table_with_names(folder: Path) -> None:
    printed = run_journeys(folder, "struggles", "--all", "--top", "3")
    assert "Moves after which exchanges seem to go wrong (sessions in prompt)" in printed
    assert re.search(r"difference +wrong +by other ways +moves +q +to +from", printed)
    assert "differences tested (q: Benjamini-Hochberg)" in printed
    none = run_journeys(folder, "struggles", "--since", "2026-09-29")
    assert "Moves after which exchanges seem to go wrong: too few sessions to compare." in none
