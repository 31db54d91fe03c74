"""Which format a row is of, and that every table is whole."""

import dataclasses
import pickle

import pytest

from turret_pipeline.events.formats import AUTO, FORMATS, Rejection, parse_record, recognised
from turret_pipeline.events.formats.mapping import ColumnMapping, chosen_format
from turret_pipeline_tests.events.formats.asking import refusal


def test_the_order_in_which_a_row_is_tried() -> None:
    assert list(FORMATS) == [
        *("segment", "posthog", "mixpanel", "langfuse_observation", "langfuse_trace"),
        *("trubrics_llm", "trubrics_event", "turret", "openai_chat", "sharegpt"),
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_of_a_format_is_of_it_and_has_events_with_times(name: str) -> None:
    example = FORMATS[name].example
    assert recognised(example).name == name
    events = parse_record(example)
    assert {event.source_format for event in events} == {name}
    assert None not in {event.event_at for event in events}
    assert parse_record(example, FORMATS[name]) == events


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_of_a_format_has_the_shape_of_no_other_but_trubrics(name: str) -> None:
    matching = {table.name for table in FORMATS.values() if table.shape.matches(FORMATS[name].example)}
    broad = {"turret", "trubrics_event"}  # they ask for one key, which others have too
    assert matching - {name} <= broad


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"name": "a"}, "turret"),
        ({"name": "a", "event": "b", "prompt": "c", "generation": "d"}, "turret"),
        ({"event_name": None}, "turret"),
        ({"event": "a", "prompt": "b", "generation": "c"}, "trubrics_event"),
        ({"prompt": None, "generation": None}, "trubrics_llm"),
        ({"prompt": "a", "generation": "b", "messages": []}, "trubrics_llm"),
        ({"messages": [], "conversations": []}, "openai_chat"),
        ({"conversations": []}, "sharegpt"),
    ],
)
def test_a_row_that_fits_many_is_of_the_first(record: dict[str, object], name: str) -> None:
    assert recognised(record).name == name


@pytest.mark.parametrize("record", [{}, {"prompt": "Hi?", "timestamp": 1}, {"messages": "Hi?"}, {"messages": {}}])
def test_a_row_of_no_shape_is_refused(record: object) -> None:
    assert refusal(record)[0] == "unknown_shape"


def test_what_is_refused_is_told_with_its_keys_and_a_remedy() -> None:
    assert refusal({"b": 1, "a": 2})[1] == (
        "The row is of no format that is known (`turret formats` lists them); keys: a, b. A mapping in turret.toml "
        "says where its name and time are."
    )


def test_a_page_that_wraps_rows_is_told_how_to_take_them_out() -> None:
    assert refusal({"next": None, "results": [{"name": "a"}]})[1].endswith(
        "keys: next, results. The rows seem to be in its results: take them out, as jq -c '.results[]' does."
    )


@pytest.mark.parametrize(
    ("record", "what"),
    [(None, "null"), (3, "a number"), (True, "a boolean"), ("a", "a string"), ([{"name": "a"}], "an array")],
)
def test_a_row_that_is_no_object_is_refused(record: object, what: str) -> None:
    assert refusal(record) == ("not_an_object", f"A row must be a JSON object; this is {what}.")


def test_a_row_can_be_read_as_another_format_than_its_shape_says() -> None:
    record = {"name": "asked", "event": "b", "user_id": "u1", "timestamp": 0}
    (event,) = parse_record(record, FORMATS["trubrics_event"])
    assert (event.event_name, event.metadata) == ("b", {"name": "asked"})


def test_rows_that_the_mapping_does_not_fit_are_told_by_their_shapes_unless_it_is_named() -> None:
    mapping = ColumnMapping.model_validate({"event_name": "action"})
    turret, mapped = {"name": "asked", "timestamp": 0}, {"action": "clicked", "name": "x"}
    automatic = chosen_format(AUTO, mapping)
    found = [parse_record(record, automatic)[0].source_format for record in (turret, mapped)]
    assert found == ["turret", "mapping"]
    with pytest.raises(Rejection, match="lacks action"):
        parse_record({"other": 1}, automatic)
    with pytest.raises(Rejection, match="lacks action"):
        parse_record(turret, chosen_format("mapping", mapping))


def test_a_mapping_holds_unless_a_format_is_named() -> None:
    mapping = ColumnMapping.model_validate({"event_name": "action"})
    assert chosen_format(AUTO, None) is None
    assert chosen_format("mapping", mapping) == mapping.format()
    assert chosen_format(AUTO, mapping) == dataclasses.replace(mapping.format(), leaves_others=True)
    assert chosen_format("posthog", mapping) is FORMATS["posthog"]
    with pytest.raises(ValueError, match="input_format is mapping, but there is none"):
        chosen_format("mapping", None)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_be_sent_to_another_process(name: str) -> None:
    assert pickle.loads(pickle.dumps(FORMATS[name])) == FORMATS[name]
