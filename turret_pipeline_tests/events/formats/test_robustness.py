"""Any row becomes events or a rejection."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turret_pipeline.events.formats import FORMATS, Event, Rejection, parse_record
from turret_pipeline.events.formats.mapping import ColumnMapping

MAPPED = ColumnMapping.model_validate({"event_name": ["event", "=x"], "user_id": "user.id", "metadata": ["input"]})
DEEP: Any = 0
for _ in range(10_000):
    DEEP = [DEEP] if isinstance(DEEP, dict) else {"messages": DEEP, "content": DEEP, "role": "user"}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(2**63), 2**64, 1714564800, 253402300800, -62135596800]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["", "\ud800", "user", "assistant", "track", "GENERATION", "$ai_generation", "{", '{"a":1}', "[1]"]
    ),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2024-05-01", "9" * 5000, "(end)"]),
)
KEYS = sorted(
    {key for spec in FORMATS.values() for key in spec.example}
    | {key for spec in FORMATS.values() for inner in spec.example.values() if isinstance(inner, dict) for key in inner}
    | {"", "role", "content", "from", "value", "parts", "text", "author", "tool_calls", "function", "a.b", "choices"}
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=8,
)
BROKEN_EXAMPLES = st.sampled_from(list(FORMATS.values())).flatmap(
    lambda spec: st.dictionaries(st.sampled_from([*spec.example, *KEYS]), VALUES, max_size=3).map(
        lambda change: {**spec.example, **change}
    )
)
SELECTED = st.sampled_from([None, *FORMATS.values(), MAPPED.to_format()])


def outcome(record: object, selected: object = None) -> object:
    """Events of any record, or its rejection."""
    try:
        return parse_record(record, selected)  # type: ignore[arg-type]
    except Rejection as rejection:
        return rejection


@pytest.mark.slow
@settings(max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(BROKEN_EXAMPLES, VALUES), SELECTED)
def test_any_json_becomes_complete_events_or_a_rejection(record: object, selected: object) -> None:
    found = outcome(record, selected)
    if isinstance(found, Rejection):
        assert found.code.replace("_", "").isalnum()
        assert found.reason.endswith(".")
        assert len(found.reason) < 1000
        return
    assert isinstance(found, list)
    assert found
    for event in found:
        assert isinstance(event, Event)
        assert 1 <= len(event.event_name) <= 255
        assert all(
            value is None or isinstance(value, str) for value in (event.event_id, event.session_id, event.user_id)
        )
        assert event.event_at is None or 1900 <= event.event_at.year < 2200


@pytest.mark.parametrize("name", FORMATS)
def test_deep_nesting_anywhere_does_not_crash(name: str) -> None:
    spec = FORMATS[name]
    for key, value in spec.example.items():
        outcome({**spec.example, key: DEEP}, spec)
        if isinstance(value, dict):
            for inner in value:
                outcome({**spec.example, key: {**value, inner: DEEP}}, spec)
    assert isinstance(outcome({**spec.example, "more": DEEP}, spec), list)
