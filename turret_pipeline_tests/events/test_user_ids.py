"""User ids that formats repeat in metadata, and that people write in texts."""

import json
from typing import Any

import pytest

from turret_pipeline.events.parsing import ParseOptions, parse_records
from turret_pipeline.events.privacy import Privacy, protect_events
from turret_pipeline.events.rows import Record
from turret_pipeline.scrubbing.identifiers import hash_id
from turret_pipeline_tests.ingest.imports import FILE_TIME

SALT = "a long salt"
USER = "ada-1815"
HASH = hash_id(USER, SALT)


def protect(row: dict[str, Any], salt: str | None = SALT) -> str:
    """All events of a row as JSON."""
    options = ParseOptions(FILE_TIME, privacy=Privacy(salt=salt))
    parsed = parse_records([Record(1, row, json.dumps(row))], options)
    assert parsed.events.height, parsed.rejected
    return protect_events(parsed.events, parsed.identities, options.privacy)[0].write_json()


def event(**metadata: object) -> dict[str, Any]:
    return {
        "event_id": "e1",
        "name": "prompt_sent",
        "session_id": "s1",
        "user_id": USER,
        "timestamp": "2026-01-01T00:00:00Z",
        "metadata": metadata,
    }


ROWS = {
    "posthog": {
        "uuid": "0190",
        "event": "prompt",
        "distinct_id": USER,
        "timestamp": "2026-01-01T00:00:00Z",
        "properties": {"$user_id": USER, "distinct_id": USER, "$device_id": "dev-77-x", "prompt": "hi"},
    },
    "mixpanel": {
        "event": "prompt",
        "properties": {
            "time": 1767225600,
            "distinct_id": USER,
            "$user_id": USER,
            "$device_id": "dev-77-x",
            "$insert_id": "i1",
            "prompt": "hi",
        },
    },
    "segment": {
        "type": "track",
        "event": "prompt",
        "messageId": "m1",
        "userId": USER,
        "anonymousId": "dev-77-x",
        "timestamp": "2026-01-01T00:00:00Z",
        "context": {"traits": {"id": USER}},
        "properties": {"prompt": "hi"},
    },
    "nested": event(user={"id": USER, "plan": "pro"}, tags=["x", USER], deep={"list": [{"owner": USER}]}),
    "json text": event(payload=json.dumps({"user": USER, "inner": json.dumps({"id": USER})})),
    "word": event(prompt=f"I am {USER}, log in as {USER}. Not {USER}5"[:-11] + "please"),
    "session": {**event(prompt="hi"), "session_id": f"{USER}:2026"},
    "escaped": event(prompt="hi", note="\u00e9 " + USER),
}


@pytest.mark.parametrize("name", list(ROWS))
def test_no_id_of_the_user_stays_anywhere_in_the_row(name: str) -> None:
    content = protect(ROWS[name])
    assert USER not in content
    assert "dev-77-x" not in content
    assert HASH in content


def test_ids_of_other_people_in_fields_for_them_are_hashed_and_other_values_stay() -> None:
    content = protect(
        event(distinct_id="bob-1912", user_id=4711, plan="pro", messages=[{"role": "user", "name": "bob"}])
    )
    assert "bob" not in content
    assert "4711" not in content
    assert hash_id("4711", SALT) in content
    assert '\\"plan\\":\\"pro\\"' in content


def test_texts_about_other_things_stay_byte_identical() -> None:
    row = {**event(prompt="1 pro 12, adapt", count=12), "user_id": "12"}
    assert '\\"prompt\\":\\"1 pro 12, adapt\\"' in protect(row)
    assert json.loads(protect(event(prompt="adapt 1815"), salt=None))[0]["user_id"] == USER


def test_rows_without_a_user_and_no_rows_stay() -> None:
    row = {**event(prompt="hi"), "user_id": None}
    assert '\\"prompt\\":\\"hi\\"' in protect(row)
    empty = parse_records([], ParseOptions(FILE_TIME))
    assert protect_events(empty.events, empty.identities, Privacy(salt=SALT))[0].is_empty()
