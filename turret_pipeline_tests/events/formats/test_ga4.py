"""Events of the BigQuery export of Google Analytics 4."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
NO_VALUE = {"string_value": None, "int_value": None, "float_value": None, "double_value": None}
PARAMETERS: list[dict[str, Any]] = [
    {"key": "ga_session_id", "value": NO_VALUE | {"int_value": "1772441900"}},
    {"key": "ga_session_number", "value": NO_VALUE | {"int_value": "3"}},
    {"key": "page_location", "value": NO_VALUE | {"string_value": "https://example.com/a"}},
    {"key": "score", "value": NO_VALUE | {"double_value": 0.5}},
    {"key": "empty", "value": NO_VALUE},
]
PAGE_VIEW: dict[str, Any] = {
    "event_date": "20260301",
    "event_timestamp": "1772442000000000",
    "event_previous_timestamp": None,
    "event_name": "page_view",
    "event_params": PARAMETERS,
    "event_bundle_sequence_id": "7",
    "user_id": None,
    "user_pseudo_id": "123.456",
    "user_properties": [
        {
            "key": "plan",
            "value": {"string_value": "team", "int_value": None, "set_timestamp_micros": "17724419"},
        }
    ],
    "user_first_touch_timestamp": "1772441900000000",
    "device": {"category": "mobile", "web_info": {"browser": "Firefox"}},
    "geo": {"country": "Norway"},
    "traffic_source": {"source": "newsletter"},
    "items": [{"item_id": "i1"}],
    "stream_id": "99",
    "platform": "WEB",
}
SESSION = "123.456.1772441900"


def test_an_event_is_parsed_completely() -> None:
    assert parse_record(PAGE_VIEW) == [
        Event(
            event_id=None,
            event_name="page_view",
            session_id=SESSION,
            user_id="123.456",
            event_at=NINE,
            received_at=None,
            source_format="ga4",
            metadata={
                "device": {"category": "mobile", "web_info": {"browser": "Firefox"}},
                "geo": {"country": "Norway"},
                "traffic_source": {"source": "newsletter"},
                "items": [{"item_id": "i1"}],
                "platform": "WEB",
                "ga_session_number": 3,
                "page_location": "https://example.com/a",
                "score": 0.5,
                "user_properties": {"plan": "team"},
            },
        )
    ]


def test_a_known_user_keeps_the_session_of_the_browser() -> None:
    (event,) = parse_record(PAGE_VIEW | {"user_id": "u-9"})
    assert (event.user_id, event.session_id) == ("u-9", SESSION)


@pytest.mark.parametrize(
    "change",
    [{"event_params": []}, {"event_params": None}, {"user_pseudo_id": None}],
    ids=["no parameters", "null parameters", "no consent to an id"],
)
def test_an_event_without_a_session_or_a_browser_has_no_session(change: dict[str, object]) -> None:
    assert parse_record(PAGE_VIEW | change)[0].session_id is None


@pytest.mark.parametrize(
    "parameters",
    [
        json.dumps(PARAMETERS),
        str(PARAMETERS),  # pandas writes Python's text of lists
        "\n ".join(str(PARAMETERS).split(", {'key'")).replace("\n ", "\n {'key'"),  # and that of numpy's arrays
        {"list": [{"element": item} for item in PARAMETERS]},
        {"list": [{"item": item} for item in PARAMETERS]},
        {"ga_session_id": 1772441900, "page_location": "https://example.com/a"},
    ],
    ids=["JSON", "pandas", "numpy", "element", "item", "object"],
)
def test_parameters_may_have_the_forms_of_csv_and_parquet(parameters: object) -> None:
    (event,) = parse_record(PAGE_VIEW | {"event_params": parameters})
    assert (event.session_id, event.metadata["page_location"]) == (SESSION, "https://example.com/a")


def test_parameters_may_be_columns_of_a_flat_table() -> None:
    row = {"event_timestamp": 1772442000000000, "event_name": "ask", "user_pseudo_id": "1.2", "ga_session_id": 17.0}
    assert parse_record(row) == [Event(None, "ask", "1.2.17", "1.2", NINE, None, "ga4", {})]


@pytest.mark.parametrize("parameters", ["[(((", "[" * 5000, "[{'key': __import__('os')}]", 3])
def test_parameters_that_cannot_be_read_cost_only_themselves(parameters: object) -> None:
    (event,) = parse_record(PAGE_VIEW | {"event_params": parameters})
    assert (event.event_name, event.metadata["geo"]) == ("page_view", {"country": "Norway"})


def test_an_event_without_a_name_is_rejected() -> None:
    assert rejection_of(PAGE_VIEW | {"event_name": None})[0] == "missing_name"


def test_a_turret_event_is_not_one_of_analytics() -> None:
    row = {"event_name": "asked", "event_timestamp": 1, "timestamp": 1772442000, "metadata": {}}
    assert detect_format(row).name == "turret"
