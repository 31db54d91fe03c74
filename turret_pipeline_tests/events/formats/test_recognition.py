"""Detection of the format of a row, and completeness of all formats."""

import dataclasses
import datetime as dt
import pickle
import tomllib

import pytest

from turret_pipeline.events.formats import AUTO, FORMATS, Rejection, detect_format, parse_record
from turret_pipeline.events.formats.mapping import ColumnMapping, select_format
from turret_pipeline_tests.events.formats.rejections import rejection_of

BROAD = ("trubrics_event", "turret", "call_log", "chat_message", "openai_chat", "sharegpt")
"""Formats that require few keys, which other formats have too."""


def test_formats_that_many_rows_match_are_tried_last() -> None:
    assert list(FORMATS)[-len(BROAD) - 1 :] == ["trubrics_llm", *BROAD]


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_of_a_format_matches_it_and_has_events_with_times(name: str) -> None:
    example = FORMATS[name].example
    assert detect_format(example).name == name
    events = parse_record(example)
    assert {event.source_format for event in events} == {name}
    assert None not in {event.event_at for event in events}
    assert parse_record(example, FORMATS[name]) == events


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_of_a_format_matches_no_other_but_broad_ones(name: str) -> None:
    matching = {spec.name for spec in FORMATS.values() if spec.shape.matches(FORMATS[name].example)}
    assert matching - {name} <= {*BROAD, "segment", "otel_span"}  # RudderStack and OpenInference build on those


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"name": "a"}, "turret"),
        ({"name": "a", "event": "b", "user_id": "c", "timestamp": "d", "metadata": {}}, "turret"),
        ({"event_name": None}, "turret"),
        ({"event": "a", "prompt": "b", "generation": "c", "user_id": "d", "timestamp": "e"}, "trubrics_event"),
        ({"prompt": None, "generation": None, "user_id": None}, "trubrics_llm"),
        ({"prompt": "a", "generation": "b", "user_id": "c", "messages": []}, "trubrics_llm"),
        ({"messages": [], "conversations": []}, "openai_chat"),
        ({"conversations": []}, "sharegpt"),
    ],
)
def test_a_row_that_matches_several_formats_has_the_first(record: dict[str, object], name: str) -> None:
    assert detect_format(record).name == name


@pytest.mark.parametrize("record", [{}, {"prompt": "Hi?", "timestamp": 1}, {"messages": "Hi?"}, {"messages": {}}])
def test_a_row_of_unknown_shape_is_rejected(record: object) -> None:
    assert rejection_of(record)[0] == "unknown_shape"


def test_the_rejection_of_an_unknown_shape_lists_keys_and_suggests_a_fix() -> None:
    assert rejection_of({"b": 1, "a": 2})[1] == (
        "The row matches no known format (`turret formats` lists them); keys: a, b. `turret inspect FILE` shows such "
        "rows, and the [mapping] for turret.toml that can read them, if it finds one."
    )


def test_a_mapping_in_a_rejection_reads_the_row() -> None:
    row = {"ctx": {"actionName": "clicked"}, "ts": "no time", "meta": {"occurredAt": "2026-03-02T09:15:00Z"}, "user": 3}
    reason = rejection_of(row)[1]
    toml = reason.partition("turret.toml with ")[2].partition(". `")[0].replace(" and ", "\n")
    (event,) = parse_record(row, ColumnMapping.model_validate(tomllib.loads(toml)).to_format())
    assert (event.event_name, event.event_at) == ("clicked", dt.datetime(2026, 3, 2, 9, 15, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    "record",
    [{"action": "clicked", "ts": "soon"}, {"action": {"a": 1}, "ts": 1772442900}, {"action": "x" * 300, "ts": 1}],
)
def test_no_mapping_is_in_a_rejection_if_it_would_not_read_the_row(record: object) -> None:
    assert "event_name =" not in rejection_of(record)[1]


def test_the_rejection_of_a_page_of_rows_says_how_to_extract_them() -> None:
    assert rejection_of({"next": None, "results": [{"name": "a"}]})[1].endswith(
        "keys: next, results. The rows are inside results: extract them, for example with jq -c '.results[]'."
    )


@pytest.mark.parametrize(
    ("record", "what"),
    [(None, "null"), (3, "a number"), (True, "a boolean"), ("a", "a string"), ([{"name": "a"}], "an array")],
)
def test_a_row_that_is_not_an_object_is_rejected(record: object, what: str) -> None:
    assert rejection_of(record) == ("not_an_object", f"The row is {what}: it must be a JSON object.")


def test_a_selected_format_takes_precedence_over_the_shape() -> None:
    record = {"name": "asked", "event": "b", "user_id": "u1", "timestamp": 1714564800}
    (event,) = parse_record(record, FORMATS["trubrics_event"])
    assert (event.event_name, event.metadata) == ("b", {"name": "asked"})


def test_the_format_of_rows_that_do_not_match_the_mapping_is_detected_unless_the_mapping_is_selected() -> None:
    mapping = ColumnMapping.model_validate({"event_name": "action"})
    turret, mapped = {"name": "asked", "timestamp": 1714564800}, {"action": "clicked", "name": "x"}
    automatic = select_format(AUTO, mapping)
    found = [parse_record(record, automatic)[0].source_format for record in (turret, mapped)]
    assert found == ["turret", "mapping"]
    with pytest.raises(Rejection, match="missing action"):
        parse_record({"other": 1}, automatic)
    with pytest.raises(Rejection, match="missing action"):
        parse_record(turret, select_format("mapping", mapping))


def test_a_mapping_applies_unless_a_format_is_selected() -> None:
    mapping = ColumnMapping.model_validate({"event_name": "action"})
    assert select_format(AUTO, None) is None
    assert select_format("mapping", mapping) == mapping.to_format()
    assert select_format(AUTO, mapping) == dataclasses.replace(mapping.to_format(), allows_other_formats=True)
    assert select_format("posthog", mapping) is FORMATS["posthog"]
    with pytest.raises(ValueError, match=r"input_format is mapping, but turret.toml has no \[mapping\]"):
        select_format("mapping", None)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_be_sent_to_another_process(name: str) -> None:
    assert pickle.loads(pickle.dumps(FORMATS[name])) == FORMATS[name]
