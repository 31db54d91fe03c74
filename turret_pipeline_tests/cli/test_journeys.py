"""`turret journeys` on the published file of the sample."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import networkx as nx
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.commands import reading, turret
from turret_pipeline_tests.conftest import Job

QUESTIONS: list[list[str]] = [
    ["overview"], ["from", "prompt-1"], ["to", "prompt-1"], ["funnel", "prompt_sent", "answer_copied"], ["steps"],
    ["compare", "plan=business", "--all"], ["outcomes", "answer_copied", "--all"],
]  # fmt: skip


@pytest.fixture
def folder(sample_job: Job) -> Path:
    return sample_job.data_dir


def asked(folder: Path, *arguments: str) -> str:
    """What `turret journeys` prints."""
    done = CliRunner().invoke(app, ["journeys", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rows(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked(folder, *arguments, "--json"))
    return found


def refusal(folder: Path, *arguments: str) -> str:
    with pytest.raises(TurretError) as refused:
        asked(folder, *arguments)
    return str(refused.value)


def sql(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with reading(folder) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda words: words[0])
def test_each_question_is_answered_as_a_table_as_json_and_as_csv(folder: Path, question: list[str]) -> None:
    found = rows(folder, *question)
    assert found
    table = list(csv.DictReader(io.StringIO(asked(folder, *question, "--csv"))))
    assert [list(row) for row in table] == [list(row) for row in found]
    printed = asked(folder, *question)
    assert "prompt-" not in printed.replace(question[-1], "")  # names, no ids
    assert all(len(line.rstrip()) <= 120 for line in printed.splitlines())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda words: words[0])
def test_where_no_session_fits_a_sentence_says_so(folder: Path, question: list[str]) -> None:
    assert rows_of_nothing(folder, *question) == []
    printed = asked(folder, *question, "--since", "2031-01-01")
    assert "no session of" in printed or "too few to compare" in printed


def rows_of_nothing(folder: Path, *question: str) -> object:
    done = CliRunner().invoke(
        app,
        ["journeys", *question, "--json", "--since", "2031-01-01", "--data-dir", str(folder)],
        catch_exceptions=False,
    )
    return json.loads(done.stdout)


def test_the_overview_tells_what_the_published_tables_tell(folder: Path) -> None:
    found = rows(folder, "overview")
    starts = {row["node_id"]: (row["count"], row["share"]) for row in found if row["question"] == "start"}
    nodes = sql(folder, "select node_id, start_count, start_share from marts.journey_nodes where dimension = 'prompt'")
    assert starts == {node: (count, pytest.approx(share)) for node, count, share in nodes if count}
    moves = {(row["node_id"], row["other_node_id"]): row["count"] for row in found if row["question"] == "follow_up"}
    edges = sql(
        folder,
        "select from_node_id, to_node_id, transition_count from marts.journey_edges where dimension = 'prompt' "
        "and from_node_id != to_node_id and from_node_id != '(start)' and to_node_id != '(end)'",
    )
    assert moves == {(source, target): count for source, target, count in edges}
    bounces = {(row["node_id"], row["other_node_id"]): row["count"] for row in found if row["question"] == "bounce"}
    loops = sql(
        folder, "select node_id, other_node_id, session_count from marts.journey_loops where dimension = 'prompt'"
    )
    assert bounces == {(node, other): count for node, other, count in loops}


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
    assert sessions("--segment", "plan=team", "--segment", "platform=ios", "--since", "2026-09-01") < by_plan[1] / 2


def test_what_differs_between_two_months_is_told_with_its_interval(folder: Path) -> None:
    """The product pictures of the sample begin in September."""
    found = rows(folder, "compare", "--period", "2026-09-01..2026-09-30", "--period", "2026-08-01..2026-08-31")
    largest = found[0]
    assert largest["measure"] == "visit"
    assert largest["difference"] > 0
    assert largest["difference_low"] > 0
    assert largest["q_value"] <= 0.05
    assert "photo" in " ".join(
        sql(folder, f"select example_texts from marts.topics where topic_id = '{largest['to_node_id']}'")[0][0]
    )
    turned = rows(folder, "compare", "--period", "2026-08-01..2026-08-31", "--period", "2026-09-01..2026-09-30")
    assert turned[0]["difference"] == pytest.approx(-largest["difference"])
    assert "compared and corrected for chance" in asked(folder, "compare", "--period", "29d")


def test_the_graph_is_written_to_a_file_or_to_the_output(folder: Path, tmp_path: Path) -> None:
    asked(folder, "export", "--format", "gexf", "--output", str(tmp_path / "graph.gexf"))
    graph = nx.read_gexf(tmp_path / "graph.gexf")
    edges = sql(folder, "select count(*) from marts.journey_edges where dimension = 'prompt'")
    assert (graph.number_of_edges(),) == edges[0]
    assert asked(folder, "export", "--format", "dot", "--dimension", "event_name").startswith("digraph journeys {")


def test_figures_of_too_few_users_are_not_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = rows(folder, "funnel", "prompt-1", "prompt-2")
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", "40")
    told = rows(folder, "funnel", "prompt-1", "prompt-2")
    assert 0 < alone[1]["user_count"] < 40
    assert told[1]["session_count"] is None
    assert told[0]["session_count"] == alone[0]["session_count"]
    assert all(row["user_count"] >= 40 for row in rows(folder, "steps") if row["node"] not in {"(other)", "(end)"})
    assert all(row["count"] >= 40 for row in rows(folder, "overview"))


def test_wrong_questions_are_refused_with_what_would_be_right(folder: Path) -> None:
    assert refusal(folder, "overview", "--dimension", "promt").startswith(
        "There is no dimension 'promt'; there are: event_name, feedback, prompt, user:event_name, "
    )
    assert (
        refusal(folder, "overview", "--segment", "plan")
        == "'plan' is no segment: write FIELD=VALUE, such as plan=team."
    )
    assert refusal(folder, "overview", "--segment", "colour=red").startswith(
        "There is no enum field 'colour'; there are: format, "
    )
    assert (
        refusal(folder, "overview", "--segment", "plan=gold")
        == "No event has plan = 'gold'; its values are: free, team, business."
    )
    assert (
        refusal(folder, "overview", "--since", "yesterday")
        == "'yesterday' is no day: write it as 2026-03-01, or as 2026-03-01T12:00."
    )
    assert "no session begins between them" in refusal(
        folder, "steps", "--since", "2026-09-02", "--until", "2026-09-01"
    )
    assert refusal(folder, "from", "answer_coped").startswith(
        "There is no topic or event 'answer_coped'; there are for instance: answer_copied, "
    )
    assert "'answer_' may be several: answer_copied, answer_shown. Give the name in full" in refusal(
        folder, "to", "answer_"
    )
    for text in ("20260815", "2026-W33", "2026-13-01"):
        assert "is no day: write it as 2026-03-01" in refusal(folder, "overview", "--until", text)
    assert "exclude each other" in refusal(folder, "steps", "--segment", "plan=team", "--segment", "plan=free")
    assert "leave --since and --until out" in refusal(folder, "compare", "--period", "7d", "--since", "2026-08-01")
    assert "is none: write FIRST..LAST" in refusal(folder, "compare", "--period", "0d")
    assert "is none: write FIRST..LAST" in refusal(folder, "compare", "--period", "..2026-09-01")
    assert "--within '2 months' is no time" in refusal(
        folder, "funnel", "prompt_sent", "answer_copied", "--within", "2 months"
    )
    assert refusal(folder, "export", "--output", str(folder / "nowhere" / "graph.gexf")).startswith(
        "There is no folder "
    )
    assert "There is no topic, event or theme 'zzz'" in refusal(folder, "funnel", "prompt_sent", "zzz")
    assert refusal(folder, "funnel", "prompt_sent") == "A funnel has two steps or more; there is only 'prompt_sent'."
    assert "given only once" in refusal(folder, "funnel", "prompt_sent", "prompt_sent", "--any-order")
    assert refusal(folder, "funnel", "prompt_sent", "answer_copied", "--within", "soon").startswith(
        "--within 'soon' is no time"
    )
    assert refusal(folder, "compare").startswith("Compare segments (plan=team) or a --period (7d)")
    assert refusal(folder, "compare", "plan=team", "--period", "7d").startswith("Compare segments")
    assert "sessions are of both plan=team and platform=ios" in refusal(folder, "compare", "plan=team", "platform=ios")
    assert "overlap" in refusal(
        folder, "compare", "--period", "2026-08-01..2026-08-20", "--period", "2026-08-10..2026-08-30"
    )
    assert "ends before it begins" in refusal(folder, "compare", "--period", "2026-08-20..2026-08-01")
    assert "is none: write FIRST..LAST" in refusal(folder, "compare", "--period", "last week")
    assert "take --dimension prompt" in refusal(folder, "compare", "plan=team", "--dimension", "user:prompt")
    assert "is no text field" in refusal(folder, "outcomes", "answer_copied", "--dimension", "event_name")
    assert refusal(folder, "export", "--format", "svg") == (
        "There is no format 'svg'; a graph is written as one of: graphml, gexf, json, dot."
    )
    assert refusal(folder, "steps", "--json", "--csv") == "--json and --csv are two answers: give one of them."


def test_without_a_published_file_the_command_says_what_comes_first(tmp_path: Path) -> None:
    done = turret("journeys", "overview", "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Nothing is published in {tmp_path} yet: give another one with --data-dir, or run turret run --data-dir "
        f"{tmp_path} first.\n"
    )


def test_a_file_of_another_version_is_told(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    with duckdb.connect(str(tmp_path / "warehouse" / "turret.duckdb")) as connection:
        connection.execute("create schema marts")
    assert "was published by another version: turret run makes it anew." in refusal(tmp_path, "overview")


@pytest.mark.parametrize("command", ["overview", "from", "to", "funnel", "steps", "compare", "outcomes", "export"])
def test_the_help_of_each_command_has_examples(command: str) -> None:
    printed = CliRunner().invoke(app, ["journeys", command, "--help"]).output
    assert f"turret journeys {command}" in printed.split("Example")[1]


def test_a_moment_is_one_whatever_zone_it_is_given_in(folder: Path) -> None:
    printed = asked(folder, "overview", "--until", "2026-08-15T12:00:00+05:00")
    assert "before 2026-08-15 07:00" in printed
    assert printed == asked(folder, "overview", "--until", "2026-08-15T07:00")


def test_without_a_difference_other_programs_get_no_rows_and_a_person_the_reason(folder: Path) -> None:
    command = ["journeys", "outcomes", "export_downloaded", "--json", "--data-dir", str(folder)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert json.loads(done.stdout) == []
    assert "differences is clearer than chance" in done.stderr


def test_a_period_that_begins_before_the_data_is_told(folder: Path) -> None:
    command = ["journeys", "compare", "--period", "2026-08-10..2026-09-29", "--data-dir", str(folder)]
    assert "The data begin on 2026-08-01" in CliRunner().invoke(app, command, catch_exceptions=False).stderr


def test_of_topics_that_are_called_alike_the_id_says_which(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "warehouse", tmp_path / "warehouse")
    with duckdb.connect(str(tmp_path / "warehouse" / "turret.duckdb")) as connection:
        connection.execute("update marts.topics set label = 'Same' where topic_id in ('prompt-1', 'prompt-2')")
        connection.execute(
            "update marts.journey_nodes set node_label = 'Same' where node_id in ('prompt-1', 'prompt-2')"
        )
    said = refusal(tmp_path, "from", "same")
    assert said == "'same' may be several: Same (prompt-1), Same (prompt-2). Give the name in full, or the id."
    assert asked(tmp_path, "from", "Same (prompt-2)") == asked(tmp_path, "from", "prompt-2")
    assert "Same (prompt-1)" in asked(tmp_path, "overview", "--top", "40")
