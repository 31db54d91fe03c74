"""Rows of any shape, parsed by a mapping."""

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
MAPPING = {"event_name": "action", "event_at": "ts", "user_id": "customer.id", "session_id": "visit"}
ROW: dict[str, Any] = {
    "action": "Clicked",
    "ts": "2024-05-01T12:00:00Z",
    "customer": {"id": 7, "plan": "pro"},
    "visit": "v1",
    "name": "Save",
    "attributes": {"colour": "red", "size": None},
    "empty": None,
}


def events(row: object, **mapping: object) -> list[Event]:
    return parse_record(row, ColumnMapping.model_validate(MAPPING | mapping).to_format())


def test_columns_come_from_the_mapped_paths_and_the_rest_is_metadata() -> None:
    assert events(ROW) == [
        Event(
            event_id=None,
            event_name="Clicked",
            session_id="v1",
            user_id="7",
            event_at=NOON,
            received_at=None,
            source_format="mapping",
            metadata={"customer": {"plan": "pro"}, "name": "Save", "attributes": {"colour": "red", "size": None}},
        )
    ]


def test_only_the_listed_metadata_is_kept() -> None:
    (event,) = events(ROW, metadata=["attributes", "customer.plan", "name", "nothing"])
    assert event.metadata == {"colour": "red", "plan": "pro", "name": "Save"}
    assert events(ROW, metadata=[])[0].metadata == {}


def test_every_column_can_be_mapped() -> None:
    row = {"a": "x", "b": 1714564800, "c": 1714564801, "d": 1, "e": 2, "f": 3}
    keys = ("event_name", "event_at", "received_at", "event_id", "session_id", "user_id")
    (event,) = events(row, **dict(zip(keys, row, strict=True)))
    second = dt.timedelta(seconds=1)
    assert event == Event("1", "x", "2", "3", NOON, NOON + second, "mapping", {})


def test_a_constant_names_events_that_have_no_name() -> None:
    (event,) = events({"ts": "2024-05-01T12:00:00Z", "text": "Hi?"}, event_name="=Asked")
    assert (event.event_name, event.metadata) == ("Asked", {"text": "Hi?"})


def test_the_first_of_several_columns_with_a_value_counts() -> None:
    (event,) = events(ROW | {"visit": ""}, session_id=["visit", "customer.plan"], event_name=["title", "action"])
    assert (event.session_id, event.event_name) == ("pro", "Clicked")


def test_a_column_with_dots_in_its_name_and_json_text_are_found() -> None:
    csv = {"action": "Clicked", "customer.id": "7", "ts": "1714564800"}
    assert events(csv) == [Event(None, "Clicked", None, "7", NOON, None, "mapping", {})]
    (event,) = events(ROW | {"customer": '{"id": 7}', "attributes": '{"colour": "red"}'}, metadata=["attributes"])
    assert (event.user_id, event.metadata) == ("7", {"colour": "red"})


def test_a_row_without_a_time_has_none() -> None:
    assert events({"action": "Clicked"})[0].event_at is None


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (ROW | {"action": None}, "missing_name"),
        (ROW | {"action": 3}, "invalid_name"),
        (ROW | {"ts": "soon"}, "invalid_timestamp"),
        (ROW | {"customer": {"id": []}}, "invalid_user_id"),
        ([ROW], "not_an_object"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(row: object, code: str) -> None:
    assert rejection_of(row, ColumnMapping.model_validate(MAPPING).to_format())[0] == code


def test_the_rejection_names_the_missing_column() -> None:
    assert rejection_of({"act": "Clicked", "ts": 0}, ColumnMapping.model_validate(MAPPING).to_format()) == (
        "not_of_format",
        "The row does not match format mapping: missing action; keys: act, ts.",
    )


@pytest.mark.parametrize("mapping", [{}, {"event_name": ""}, {"event_name": []}, {"event_name": "a", "user": "b"}])
def test_a_mapping_needs_a_name_and_allows_only_known_columns(mapping: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ColumnMapping.model_validate(mapping)
