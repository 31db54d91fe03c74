"""`turret report` on the published file of the sample."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.report.model import TITLES
from turret_pipeline_tests.commands import installed_turret
from turret_pipeline_tests.conftest import Job


@pytest.fixture
def folder(sample_job: Job) -> Path:
    return sample_job.data_dir


def run_report(folder: Path, *options: str) -> str:
    """The output of `turret report`."""
    done = CliRunner().invoke(app, ["report", *options, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def read_report(folder: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_report(folder, *options, "--format", "json"))
    return found


def error(folder: Path, *options: str) -> str:
    with pytest.raises(TurretError) as raised:
        run_report(folder, *options)
    return str(raised.value)


@pytest.mark.parametrize("name", ["text", "md", "html"])
def test_each_format_has_the_four_answers_and_the_topics_of_each_field(folder: Path, name: str) -> None:
    written = run_report(folder, "--format", name)
    places = [written.index(title) for title in TITLES.values()]
    assert places == sorted(places)
    found = read_report(folder)
    assert all(one["topics"][0]["label"] in written for one in found["fields"])
    assert f"{found['exchange_count']:,} exchanges" in written


def test_text_is_the_format_without_an_option(folder: Path) -> None:
    assert run_report(folder) == run_report(folder, "--format", "text")


def test_json_has_the_figures_of_each_finding(folder: Path) -> None:
    found = read_report(folder)
    assert [answer["title"] for answer in found["answers"]] == list(TITLES.values())
    for finding in (finding for answer in found["answers"] for finding in answer["findings"]):
        assert finding["share"] == pytest.approx(finding["count"] / finding["total"])
        assert finding["q_value"] is None or finding["q_value"] <= 0.05
    prompts = next(one for one in found["fields"] if one["field"] == "prompt")
    assert sum(topic["event_count"] for topic in prompts["topics"]) <= prompts["event_count"]


def test_a_period_and_a_segment_narrow_the_report_down(folder: Path) -> None:
    whole = read_report(folder)
    part = read_report(folder, "--since", "2026-08-10", "--until", "2026-08-31", "--segment", "plan=team")
    assert 0 < part["exchange_count"] < whole["exchange_count"]
    assert part["period"]["first"] >= "2026-08-10"
    assert part["scope"] == "sessions with plan = team first, from 2026-08-10 00:00, before 2026-09-01 00:00"
    assert "only sessions with plan = team first" in run_report(folder, "--segment", "plan=team")


def test_a_period_without_sessions_gives_a_report_without_findings(folder: Path) -> None:
    found = read_report(folder, "--since", "2031-01-01")
    assert (found["period"], found["exchange_count"]) == (None, 0)
    assert [answer["findings"] for answer in found["answers"]] == [[], [], [], []]
    for name in ("text", "md", "html"):
        written = re.sub(r"\\", "", run_report(folder, "--since", "2031-01-01", "--format", name))
        assert written.count("No events in this part of the data.") == len(TITLES)


def test_invalid_options_are_rejected_with_a_fix(folder: Path) -> None:
    assert error(folder, "--segment", "plan") == "Invalid segment 'plan': use FIELD=VALUE, for example plan=team."
    assert error(folder, "--segment", "colour=red").startswith("Unknown enum field 'colour'. Available: ")
    assert error(folder, "--segment", "plan=gold").startswith("No event has plan = 'gold'. Values of plan: ")
    assert error(folder, "--since", "yesterday").startswith("Invalid day 'yesterday': use 2026-03-01")
    assert "swap the two" in error(folder, "--since", "2026-09-02", "--until", "2026-09-01")
    assert CliRunner().invoke(app, ["report", "--format", "pdf", "--data-dir", str(folder)]).exit_code == 2


def test_without_a_published_file_the_message_says_what_to_run(tmp_path: Path) -> None:
    done = installed_turret("report", "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Nothing is published in {tmp_path} yet: run turret run --data-dir {tmp_path} first")
