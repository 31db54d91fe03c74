"""Types of fields that change from import to import, and all that depends on them."""

from pathlib import Path

import pytest

from turret_pipeline_tests.commands import (
    conversations,
    open_published,
    published_tables,
    run_job,
    turret,
    write_events,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the tests of this file carry on, in their order."""
    return tmp_path_factory.mktemp("types") / "data"


def changes(data: Path, field: str) -> list[tuple[object, ...]]:
    with open_published(data) as connection:
        return connection.execute(
            "select previous_type, type, cause, event_count from marts.field_type_changes "
            "where field = ? order by change_number",
            [field],
        ).fetchall()


def follows(data: Path) -> tuple[set[str], set[str], set[str]]:
    """Fields with topics that are active, with values, and with days."""
    tables = published_tables(data)
    active = tables["topics"].filter(tables["topics"]["status"] == "active")
    return tuple(set(frame["field"]) for frame in (active, tables["field_values"], tables["number_days"]))  # type: ignore[return-value]


def noted(first_session: int, sessions: int, **metadata: object) -> list[dict[str, object]]:
    """Conversations whose events have this metadata too; a note of None repeats the prompt."""
    events = conversations(first_session, sessions)
    for event in events:
        known = event["metadata"]
        assert isinstance(known, dict)
        known.update({name: known["prompt"] if value is None else value for name, value in metadata.items()})
    return events


def test_the_first_types_have_their_first_event_as_cause(data: Path) -> None:
    run_job(data, write_events(data / "in" / "1.jsonl", noted(0, 12, note="ok", grade=3)))
    assert changes(data, "note") == [(None, "enum", "first_event", 1)]
    assert changes(data, "grade") == [(None, "number", "first_event", 1), ("number", "constant", "more_values", 24)]
    topics, enums, numbers = follows(data)
    assert ("note" in topics, "note" in enums, "grade" in numbers) == (False, True, False)


def test_a_field_becomes_text_with_more_values_and_its_topics_come(data: Path) -> None:
    run_job(data, write_events(data / "in" / "2.jsonl", noted(12, 60, note=None, grade=4)))
    assert changes(data, "note") == [(None, "enum", "first_event", 1), ("enum", "text", "hundred_events", 100)]
    assert changes(data, "grade")[-1][:3] == ("constant", "enum", "hundred_events")
    topics, enums, _ = follows(data)
    assert ("note" in topics, "note" in enums, "grade" in enums) == (True, False, True)


def test_an_override_takes_effect_with_the_next_run_and_its_end_too(data: Path) -> None:
    refused = turret("fields", "set", "note", "number", "--data-dir", data)
    assert (refused.returncode, "cannot be number: only 0 % of its values" in refused.stderr) == (2, True)
    assert turret("fields", "set", "note", "identifier", "--data-dir", data).returncode == 0
    assert turret("fields", "set", "grade", "number", "--data-dir", data).returncode == 0
    before = published_tables(data)["field_type_changes"]
    run_job(data, data / "in")
    after = published_tables(data)["field_type_changes"]
    assert after.join(before, on=before.columns, how="semi", nulls_equal=True).equals(before)
    assert set(after.join(before, on=before.columns, how="anti", nulls_equal=True)["cause"]) == {"override"}
    assert changes(data, "note")[-1][:3] == ("text", "identifier", "override")
    topics, enums, numbers = follows(data)
    assert ("note" in topics, "grade" in enums, "grade" in numbers) == (False, False, True)
    fields = {row["field"]: row for row in published_tables(data)["fields"].to_dicts()}
    assert (fields["note"]["detected_type"], fields["note"]["is_overridden"]) == ("text", True)

    assert turret("fields", "unset", "note", "--data-dir", data).returncode == 0
    run_job(data, data / "in")
    assert changes(data, "note")[-1][:3] == ("identifier", "text", "unset")
    assert [row[1] for row in changes(data, "note")] == ["enum", "text", "identifier", "text"]
    topics, _, numbers = follows(data)
    assert ("note" in topics, "grade" in numbers) == (True, True)
