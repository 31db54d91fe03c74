"""`turret formats`, and unknown formats of `turret run`."""

import json

import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.cli.formats import LISTED_FORMATS
from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats import FORMATS


def run_formats(*arguments: str) -> str:
    """The output of `turret formats` with these arguments."""
    done = CliRunner().invoke(app, ["formats", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_has_every_format_in_the_order_of_recognition_with_its_example() -> None:
    printed = run_formats()
    titles = [line.split(":")[0] for line in printed.splitlines() if line and not line.startswith((" ", "Formats"))]
    assert titles == [*FORMATS, "mapping"]
    lines = printed.splitlines()
    at = lines.index("mixpanel: Mixpanel event")
    assert lines[at + 1 : at + 3] == ["  recognised by  event and properties.time", "  becomes        one event"]
    assert json.loads(lines[at + 3].removeprefix("  example")) == FORMATS["mixpanel"].example


def test_one_format_is_shown_with_the_events_of_its_example() -> None:
    printed = run_formats("posthog")
    assert printed.startswith("posthog: PostHog event\nRecognised by event, distinct_id, and uuid or properties.\n")
    assert "session_id      properties.$session_id or properties.$ai_session_id\n" in printed
    events = json.loads(printed.split("becomes:\n")[1])
    assert [event["event_name"] for event in events] == ["User prompt", "AI generation"]


def test_the_mapping_is_shown_as_it_is_written() -> None:
    assert '\n[mapping]\nevent_name = "action"\nevent_at = "ts"\n' in run_formats("mapping")


def test_formats_as_json() -> None:
    rows = json.loads(run_formats("--json"))
    assert [row["name"] for row in rows] == list(LISTED_FORMATS)
    (turret,) = (row for row in rows if row["name"] == "turret")
    assert turret == json.loads(run_formats("turret", "--json"))
    assert turret["columns"]["event_name"] == ["event_name", "name"]
    assert turret["events"] == [
        {
            "event_id": "e-1",
            "event_name": "prompt_sent",
            "session_id": "s-1",
            "user_id": "u-1",
            "event_at": "2026-03-02T09:15:00+00:00",
            "source_format": "turret",
            "metadata": {"prompt": "How do I reset my password?", "plan": "team"},
        }
    ]


def test_an_unknown_format_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(TurretError, match=r"Unknown format 'postdog'. Available: .*segment, .* Did you mean posthog\?"):
        run_formats("postdog")


def test_a_run_with_an_unknown_format_is_rejected_before_anything_is_read() -> None:
    with pytest.raises(TurretError, match=r"Invalid input_format 'postdog' .*: use one of auto"):
        CliRunner().invoke(app, ["run", "--format", "postdog"], catch_exceptions=False)
