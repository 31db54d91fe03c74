"""Enriched events of Snowplow."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, detect_format, parse_record
from turret_pipeline.events.formats.snowplow import ENRICHED_COLUMNS
from turret_pipeline_tests.events.formats.rejections import rejection_of

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
PAGE_VIEW: dict[str, Any] = {
    "app_id": "web",
    "platform": "web",
    "etl_tstamp": "2026-03-02T09:00:02.000Z",
    "collector_tstamp": "2026-03-02T09:00:01.000Z",
    "dvce_created_tstamp": "2026-03-02T08:00:00.000Z",
    "derived_tstamp": "2026-03-02T09:00:00.000Z",
    "event": "page_view",
    "event_name": "page_view",
    "event_vendor": "com.snowplowanalytics.snowplow",
    "event_id": "e-1",
    "v_tracker": "js-3.1.0",
    "user_id": None,
    "domain_userid": "d-1",
    "network_userid": "n-1",
    "domain_sessionidx": 2,
    "domain_sessionid": "s-1",
    "page_url": "https://example.com/a",
    "contexts_com_acme_account_1": [{"plan": "team"}],
    "contexts_com_acme_tag_1": [{"name": "a"}, {"name": "b"}],
}


def name_of(**change: object) -> str:
    return parse_record(PAGE_VIEW | {"event_name": None} | change)[0].event_name


def test_a_page_view_is_parsed_completely() -> None:
    assert parse_record(PAGE_VIEW) == [
        Event(
            event_id="e-1",
            event_name="page_view",
            session_id="s-1",
            user_id="d-1",
            event_at=NINE,
            received_at=NINE + dt.timedelta(seconds=1),
            source_format="snowplow",
            metadata={
                "app_id": "web",
                "platform": "web",
                "network_userid": "n-1",
                "domain_sessionidx": 2,
                "page_url": "https://example.com/a",
                "contexts_com_acme_account_1": {"plan": "team"},
                "contexts_com_acme_tag_1": [{"name": "a"}, {"name": "b"}],
            },
        )
    ]


def test_the_data_of_an_event_are_fields_under_their_own_names() -> None:
    data = {"prompt": "Hi?", "n": None}
    row = PAGE_VIEW | {"event": "unstruct", "event_name": "asked", "user_id": "u-1"}
    for key, value in (
        ("unstruct_event_com_acme_asked_1", data),
        ("unstruct_event_com_acme_asked_1_0_2", data),
        ("unstruct_event_com_acme_asked_1", json.dumps(data)),
    ):
        (event,) = parse_record(row | {key: value})
        assert (event.event_name, event.user_id, event.metadata["prompt"]) == ("asked", "u-1", "Hi?")
        assert key not in event.metadata


def test_self_describing_json_is_read_as_in_the_stream() -> None:
    schema = "iglu:com.acme/{}/jsonschema/1-0-3"
    event = {"schema": "iglu:x", "data": {"schema": schema.format("promptSent"), "data": {"prompt": "Hi?"}}}
    contexts = {"schema": "iglu:y", "data": [{"schema": schema.format("account"), "data": {"plan": "solo"}}]}
    texts = {"unstruct_event": json.dumps(event), "contexts": json.dumps(contexts), "derived_contexts": ""}
    (found,) = parse_record(PAGE_VIEW | texts | {"event": "unstruct", "event_name": None})
    assert found.event_name == "com_acme_prompt_sent"
    assert (found.metadata["prompt"], found.metadata["contexts_com_acme_account_1"]) == ("Hi?", {"plan": "solo"})


def test_the_name_of_an_event_without_one_is_its_type_or_its_action() -> None:
    assert name_of() == "page_view"
    assert name_of(event="struct", event_name="event", se_action="add-to-basket") == "add-to-basket"
    assert name_of(event="page_ping") == "page_ping"


def test_a_mobile_event_has_the_session_and_user_of_its_client_session() -> None:
    session = {"sessionId": "ms-1", "userId": "mu-1", "sessionIndex": 4}
    row = PAGE_VIEW | {"domain_sessionid": None, "domain_userid": None, "domain_sessionidx": None}
    (event,) = parse_record(row | {"contexts_com_snowplowanalytics_snowplow_client_session_1": [session]})
    assert (event.session_id, event.user_id) == ("ms-1", "mu-1")


def test_an_event_of_an_old_tracker_has_the_number_of_the_visit_as_its_session() -> None:
    assert parse_record(PAGE_VIEW | {"domain_sessionid": None})[0].session_id == "d-1.2"


def test_the_true_time_or_the_receipt_replaces_a_missing_time() -> None:
    true = PAGE_VIEW | {"derived_tstamp": None, "true_tstamp": "2026-03-02 08:59:00.000"}
    assert [(event.event_at, event.is_zone_assumed) for event in parse_record(true)] == [
        (NINE - dt.timedelta(minutes=1), False)
    ]
    assert parse_record(PAGE_VIEW | {"derived_tstamp": None})[0].event_at == NINE + dt.timedelta(seconds=1)


def test_a_structured_event_without_any_name_is_rejected() -> None:
    assert rejection_of(PAGE_VIEW | {"event": None, "event_name": None})[0] == "missing_name"


@pytest.mark.parametrize("broken", [3, "x", [3], {"schema": 1}, '{"data": [3]}'])
def test_broken_entities_cost_only_themselves(broken: object) -> None:
    keys = ("contexts", "unstruct_event", "unstruct_event_com_acme_a_1", "contexts_com_acme_account_1")
    (event,) = parse_record(PAGE_VIEW | dict.fromkeys(keys, broken))
    assert (event.event_name, event.metadata["app_id"]) == ("page_view", "web")


def test_the_columns_of_the_stream_make_an_event() -> None:
    cells = dict.fromkeys(ENRICHED_COLUMNS, "")
    row = cells | {key: value for key, value in PAGE_VIEW.items() if key in cells}
    assert len(cells) == 131
    assert detect_format(row).name == "snowplow"
    assert parse_record(row)[0].event_at == NINE
