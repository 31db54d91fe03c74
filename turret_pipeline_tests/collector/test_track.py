"""Turret's POST /track, as documented for its clients."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline_tests.collector.servers import Server, run_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("track")) as started:
        yield started


def test_an_event_is_stored_unchanged_and_its_ids_are_returned(server: Server) -> None:
    metadata = {"prompt": "Hi \u2603", "tokens": 12, "cost": 0.5, "nested": {"a": [1, None, True]}}
    answer = server.post("/track", {"name": "prompt_sent", "metadata": metadata, "session_id": "s1", "user_id": "u1"})
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert re.fullmatch("evt_[0-9a-f]{32}", body["event_id"])
    ids = {"event_id": body["event_id"], "session_id": "s1", "user_id": "u1"}
    assert body == {"success": True, "message": "Event tracked successfully", **ids}
    (record,) = [record for record in server.read_records() if record["event_id"] == body["event_id"]]
    assert record.pop("timestamp") == record.pop("received_at")
    assert record == {**ids, "name": "prompt_sent", "metadata": metadata}


@pytest.mark.parametrize("ids", [{}, {"session_id": None, "user_id": None}, {"session_id": "", "user_id": ""}])
def test_missing_ids_are_generated_and_stored_as_assumed(server: Server, ids: dict[str, object]) -> None:
    body = server.post("/track", {"name": "first call", "metadata": {}, **ids}).json()
    assert uuid.UUID(body["session_id"]) != uuid.UUID(body["user_id"])
    (record,) = [record for record in server.read_records() if record["event_id"] == body["event_id"]]
    assert (record["session_id"], record["user_id"]) == (body["session_id"], body["user_id"])
    assert record["assumed_ids"] == ["session_id", "user_id"]


def test_only_ids_that_the_client_left_out_are_assumed(server: Server) -> None:
    body = server.post("/track", {"name": "n", "metadata": {}, "user_id": "u1"}).json()
    (record,) = [record for record in server.read_records() if record["event_id"] == body["event_id"]]
    assert (record["user_id"], record["assumed_ids"]) == ("u1", ["session_id"])


def test_undocumented_fields_become_metadata(server: Server) -> None:
    body = server.post("/track", {"name": "n", "metadata": {"a": 1}, "a": 2, "extra": "x"}).json()
    (record,) = [record for record in server.read_records() if record["event_id"] == body["event_id"]]
    assert record["metadata"] == {"a": 1, "extra": "x"}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"{", "INVALID_REQUEST", "not JSON"),
        (b"[]", "INVALID_REQUEST", "The body is an array"),
        (b'{"name": "x", "metadata": {"a": oops}}', "INVALID_REQUEST", "not JSON"),
        ({"metadata": {}}, "MISSING_REQUIRED_FIELD", "name"),
        ({"name": "x"}, "MISSING_REQUIRED_FIELD", "metadata"),
        ({"name": 5, "metadata": {}}, "INVALID_REQUEST", "name is a number"),
        ({"name": "", "metadata": {}}, "INVALID_REQUEST", "name has 0 characters"),
        ({"name": "x" * 256, "metadata": {}}, "INVALID_REQUEST", "name has 256 characters"),
        ({"name": "(start)", "metadata": {}}, "INVALID_REQUEST", "a reserved name"),
        ({"name": "x", "metadata": []}, "INVALID_REQUEST", "metadata is an array"),
        ({"name": "x", "metadata": "text"}, "INVALID_REQUEST", "metadata is a string"),
        ({"name": "x", "metadata": {}, "user_id": 5}, "INVALID_REQUEST", "user_id is a number"),
        ({"name": "x", "metadata": {}, "session_id": {}}, "INVALID_REQUEST", "session_id is an object"),
        ({"name": "x", "metadata": {"prompt": "x" * 10_001}}, "TEXT_TOO_LONG", "metadata.prompt has 10001 characters"),
        ({"name": "x", "metadata": {"a": {"b": ["x" * 10_001]}}}, "TEXT_TOO_LONG", "a text in metadata"),
    ],
)
def test_an_invalid_event_is_rejected_with_its_code(server: Server, body: object, code: str, message: str) -> None:
    before = len(server.read_records())
    answer = server.post("/track", body)
    error = answer.json()
    assert (answer.status_code, error["success"], error["code"]) == (400, False, code)
    assert message in error["error"]
    assert len(server.read_records()) == before


def test_texts_at_the_limit_pass(server: Server) -> None:
    longest = {"name": "x" * 255, "metadata": {"prompt": "x" * 10_000}}
    assert server.post("/track", longest).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_wrong_content_type_is_an_invalid_request(server: Server, kind: str) -> None:
    answer = server.post("/track", {"name": "x", "metadata": {}}, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


def test_a_charset_in_the_content_type_is_accepted(server: Server) -> None:
    answer = server.post("/track", {"name": "x", "metadata": {}}, content_type="application/json; charset=utf-8")
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "X-Api-KEY"])
def test_the_key_header_ignores_case(server: Server, name: str) -> None:
    body = b'{"name":"x","metadata":{}}'
    head = f"POST /track HTTP/1.1\r\nhost: x\r\n{name}: {server.key}\r\ncontent-type: application/json\r\n"
    answer = server.send_raw(head.encode() + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_unknown_paths_and_wrong_methods_get_an_error_object(server: Server) -> None:
    missing = server.post("/tracks", {}).json()
    assert missing["code"] == "NOT_FOUND"
    assert missing["error"] == "Unknown path /tracks. Did you mean /track? /docs lists all paths."
    answer = server.get("/track")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert answer.json()["error"] == "/track takes POST only, not GET."


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/capture", "Unknown path /capture. /docs lists all paths."),
        ("/v1/event", "Unknown path /v1/event. Did you mean /v1/events? /docs lists all paths."),
        ("/%1b%5b2J%0aFORGED%e2%80%ae%ff", "Unknown path /␛[2J FORGED��. /docs lists all paths."),
        ("/" + "x" * 500, f"Unknown path /{'x' * 99}. /docs lists all paths."),
    ],
)
def test_an_unknown_path_is_named_on_one_line(server: Server, path: str, shown: str) -> None:
    assert server.post(path, {}).json()["error"] == shown


def test_the_time_of_a_tracked_event_is_the_server_s_by_default(server: Server) -> None:
    body = server.post("/track", {"name": "n", "metadata": {}, "timestamp": "2026-05-01T10:00:00Z"}).json()
    (record,) = [record for record in server.read_records() if record["event_id"] == body["event_id"]]
    assert record["timestamp"] == record["received_at"]
    assert record["metadata"] == {"timestamp": "2026-05-01T10:00:00Z"}


def test_the_time_of_a_tracked_event_is_the_client_s_by_a_setting(tmp_path: Path) -> None:
    times = ["2026-05-01T10:00:00Z", "2026-05-01 10:00:00", 1777629600, 1777629600123, None]
    with run_server(tmp_path, {"track_timestamps": "true"}) as server:
        for time in times:
            assert server.post("/track", {"name": "n", "metadata": {}, "timestamp": time}).status_code == 200
        wrong_times: list[object] = ["yesterday", "0000-01-01T00:00:00Z", -1, 1e300, True, {}]
        for wrong in wrong_times:
            answer = server.post("/track", {"name": "n", "metadata": {}, "timestamp": wrong})
            assert (answer.status_code, answer.json()["error"].startswith("timestamp is ")) == (400, True)
        records = server.read_records()
        assert [record["timestamp"] for record in records] == [*times[:-1], records[-1]["received_at"]]
        assert [record["metadata"] for record in records] == [{}] * 5
        assert 'naive_timestamps_total{path="/track"} 1.0' in server.get("/metrics").text
        assert "timestamp" in server.get("/openapi.json").json()["components"]["schemas"]["Track"]["properties"]
