"""Events with values that no table can hold, and items that are not JSON, cost no other item of their batch."""

import json
from collections.abc import Iterator

import pytest

from turret_pipeline.collector.wire.batch_items import Items, recover_items
from turret_pipeline.collector.wire.validation import ValidationError
from turret_pipeline_tests.collector.servers import Server, gzip_body, make_event, make_llm_event, run_server

NDJSON = "application/x-ndjson"
CUT = "cut \ud83d"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("repairs")) as started:
        yield started


def count_repairs(server: Server, path: str) -> float:
    name = f'turret_collector_repaired_values_total{{path="{path}"}} '
    lines = server.get("/metrics").text.splitlines()
    return float(next((line.removeprefix(name) for line in lines if line.startswith(name)), 0))


def recover(body: bytes, max_items: int = 10) -> list[object] | None:
    """Values of the recovered items; "invalid" for each that is not JSON."""
    steps = recover_items(body, max_items)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            items: Items | None = end.value
            break
    if items is None:
        return None
    return ["invalid" if isinstance(value, ValidationError) else value for value in items.values]


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b' [ {"a": 1} , {oops} ,{"b": "\\ud83d"}]\n', [{"a": 1}, "invalid", {"b": "\ufffd"}]),
        (b'[{"a": "],[{}\\"\\\\"},oops]', [{"a": '],[{}"\\'}, "invalid"]),
        (b'["\xff", {"a": [{"b": [1, 2]}, {}]}, {"x"}]', ["invalid", {"a": [{"b": [1, 2]}, {}]}, "invalid"]),
        (b"[1, 2,]", [1, 2, "invalid"]),
        (b"[,]", ["invalid", "invalid"]),
        (b"[oops" + b",1" * 20 + b"]", ["invalid", *[1] * 10]),
        (b"[oops]]", None),
        (b"[oops] 1", None),
        (b"[1, 2", None),
        (b'[1, "2]', None),
        (b"{oops}", None),
        (b"", None),
    ],
)
def test_items_of_a_broken_array_are_parsed_separately(body: bytes, values: list[object] | None) -> None:
    assert recover(body) == values


@pytest.mark.parametrize(
    ("path", "good", "broken", "read_text"),
    [
        ("/publish_events", make_event(), make_event(properties={"t": CUT, "n": 1e400}), ("properties", "t")),
        (
            "/publish_llm_events",
            make_llm_event(),
            make_llm_event(prompt=CUT, timestamp=None, properties={"n": float("inf")}),
            ("prompt",),
        ),
        (
            "/publish_segment_events",
            make_event(),
            make_event(properties={"t": CUT}, context={"n": float("nan")}),
            ("properties", "t"),
        ),
        (
            "/identify_segment_users",
            {"user_id": "u"},
            {"user_id": "u", "traits": {"t": CUT, "n": 1e400}},
            ("properties", "t"),
        ),
    ],
)
def test_a_broken_value_costs_no_neighbour_in_a_batch_of_trubrics(
    server: Server, path: str, good: object, broken: object, read_text: tuple[str, ...]
) -> None:
    stored, repaired = len(server.read_records()), count_repairs(server, path)
    answer = server.post(path, [*[good] * 99, broken])
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    records = server.read_records()[stored:]
    text: object = records[-1]
    for key in read_text:
        assert isinstance(text, dict)
        text = text[key]
    assert (len(records), text) == (100, "cut \ufffd")
    assert count_repairs(server, path) == repaired + 2


def test_an_item_that_cannot_be_repaired_is_named(server: Server) -> None:
    before = len(server.read_records())
    good = json.dumps(make_event(properties={"t": CUT}))
    answer = server.post("/publish_events", f"[{good}, {{oops}}, {good}]".encode())
    error = answer.json()
    assert (answer.status_code, error["code"]) == (422, "INVALID_BATCH")
    assert [item["index"] for item in error["detail"]] == [1]
    assert "not JSON" in error["detail"][0]["error"]
    assert len(server.read_records()) == before


def test_each_item_of_an_array_has_a_result_with_its_repairs(server: Server) -> None:
    stored, repaired = len(server.read_records()), count_repairs(server, "/v1/events")
    body = b'[{"name": "a"}, {"name": "b", "metadata": {"t": "\\ud83d", "n": [1e400, NaN]}}, {oops}, {"t": "\\ud83d"}]'
    answer = server.post("/v1/events", body)
    results = answer.json()["results"]
    assert [item["status"] for item in results] == ["accepted", "accepted", "rejected", "rejected"]
    assert [item.get("repaired") for item in results] == [None, 3, None, None]
    assert [record["metadata"] for record in server.read_records()[stored:]] == [{}, {"t": "\ufffd", "n": [None, None]}]
    assert count_repairs(server, "/v1/events") == repaired + 3


def test_each_line_has_a_result_with_its_repairs(server: Server) -> None:
    lines = b'{"name": "a"}\n{oops\n{"name": "b", "metadata": {"t": "x\\ud83d"}}\n{"name": "\xff"}\n'
    for body, headers in ((lines, {}), (gzip_body(lines + b"\n"), {"content_encoding": "gzip"})):
        results = server.post("/v1/events", body, content_type=NDJSON, **headers).json()["results"]
        assert [item["status"] for item in results] == ["accepted", "rejected", "accepted", "rejected"]
        assert [item.get("repaired") for item in results] == [None, None, 1, None]


def test_a_tracked_event_is_repaired(server: Server) -> None:
    repaired = count_repairs(server, "/track")
    body = b'{"name": "n", "metadata": {"t": "x\\ud83d", "n": -1e400, "m": NaN}}'
    event_id = server.post("/track", body).json()["event_id"]
    (record,) = [record for record in server.read_records() if record["event_id"] == event_id]
    assert record["metadata"] == {"t": "x\ufffd", "n": None, "m": None}
    assert count_repairs(server, "/track") == repaired + 3


def test_a_repaired_batch_that_is_sent_again_is_stored_and_counted_once(server: Server) -> None:
    batch = [make_event(user_id="again", properties={"t": CUT})]
    for _ in range(2):
        assert server.post("/publish_events", batch).status_code == 200
        repaired = count_repairs(server, "/publish_events")
        assert [record.get("user_id") for record in server.read_records()].count("again") == 1
    assert server.post("/publish_events", batch).status_code == 200
    assert count_repairs(server, "/publish_events") == repaired


def test_a_broken_batch_over_the_limit_of_events_is_rejected(server: Server) -> None:
    answer = server.post("/publish_events", [make_event(properties={"t": CUT})] * 101)
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "The body has more than 100 events: send fewer at a time.",
    )
