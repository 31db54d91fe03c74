"""Rows of event logs of process mining."""

import datetime as dt

import pytest

from turret_pipeline.events.formats import Event, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
STANDARD = {
    "case:concept:name": "c-1",
    "concept:name": "Register",
    "time:timestamp": "2026-03-02T10:00:00+01:00",
    "org:resource": "Ada",
    "lifecycle:transition": "complete",
    "case:amount": 5,
    "name": "own attribute",
}


def test_a_row_with_the_names_of_the_standard() -> None:
    metadata = {"lifecycle:transition": "complete", "case:amount": 5, "name": "own attribute"}
    assert parse_record(STANDARD) == [Event(None, "Register", "c-1", "Ada", NINE, None, "event_log", metadata)]


@pytest.mark.parametrize(
    ("row", "metadata"),
    [
        (
            {
                "Case ID": "c-1",
                "Activity": "Register",
                "Resource": "Ada",
                "Start Timestamp": "2026/03/02 08:00:00.000",
                "Complete Timestamp": "2026/03/02 09:00:00.000",
                "Variant": "Variant 1",
            },
            {"Start Timestamp": "2026/03/02 08:00:00.000", "Variant": "Variant 1"},
        ),
        ({"case_id": "c-1", "activity": "Register", "timestamp": "2026-03-02 09:00:00", "resource": "Ada"}, {}),
        ({"CaseID": "c-1", "Activity": "Register", "Start Timestamp": "2026-03-02 09:00", "user_id": "Ada"}, {}),
        (
            {"_CASE_KEY": "c-1", "ACTIVITY_EN": "Register", "EVENTTIME": "2026-03-02 09:00:00", "USER": "Ada", "n": 1},
            {"n": 1},
        ),
    ],
    ids=["Disco", "plain", "start only", "Celonis"],
)
def test_rows_with_the_names_of_other_tools(row: dict[str, object], metadata: dict[str, object]) -> None:
    (event,) = parse_record(row)
    assert (event.event_name, event.session_id, event.user_id) == ("Register", "c-1", "Ada")
    assert (event.event_at, event.metadata) == (NINE, metadata)


def test_an_empty_time_of_completion_leaves_the_time_of_the_start() -> None:
    row = {"Case ID": 7, "Activity": "a", "Complete Timestamp": "", "Start Timestamp": "2026-03-02 09:00:00"}
    assert [(event.event_at, event.session_id, event.user_id) for event in parse_record(row)] == [(NINE, "7", None)]


def test_an_id_of_a_user_precedes_the_resource() -> None:
    (event,) = parse_record(STANDARD | {"case:user_id": "u-1"})
    assert (event.user_id, event.metadata["org:resource"]) == ("u-1", "Ada")


def test_the_id_of_an_event_is_that_of_the_identity_extension() -> None:
    (event,) = parse_record(STANDARD | {"identity:id": "e-1"})
    assert event.event_id == "e-1"
    assert "identity:id" not in event.metadata


def test_an_event_without_an_activity_is_rejected() -> None:
    assert rejection_of({"case:concept:name": "c", "time:timestamp": "2026-03-02"})[0] == "missing_name"


@pytest.mark.parametrize(
    "row",
    [
        {"name": "a", "case_id": "c", "activity": "b", "metadata": {}, "timestamp": 1772442000},
        {"event_name": "a", "Case ID": "c", "Activity": "b", "metadata": {}, "timestamp": 1772442000},
    ],
)
def test_a_turret_event_with_such_columns_is_not_one_of_a_process(row: dict[str, object]) -> None:
    assert detect_format(row).name == "turret"
