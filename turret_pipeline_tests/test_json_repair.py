"""JSON with halves of surrogate pairs and numbers out of range."""

import json
import math

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_pipeline.json_repair import load_json

PIECES = ("a", "é", ",", "1e400", "NaN", "[", "\\\\", '\\"', "\\n", "\\ud83d", "\\uDE00", "\\u00e9")
TEXTS = st.lists(st.sampled_from(PIECES)).map(lambda pieces: '"' + "".join(pieces) + '"')
NUMBERS = st.sampled_from(["1e400", "-1E+400", "9" * 400, "1" * 210 + "e99", "NaN", "-Infinity", "0.1", "-5", "1e308"])
DOCUMENTS = st.recursive(
    TEXTS | NUMBERS,
    lambda inner: (
        st.lists(inner).map(lambda items: "[" + ", ".join(items) + "]")
        | st.lists(inner).map(
            lambda items: "{" + ",".join(f'"{number}\\ud83d": {item}' for number, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=20,
)


def repair_python_value(value: object) -> object:
    """What the standard library reads, with the same repairs."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in value)
    if isinstance(value, list):
        return [repair_python_value(item) for item in value]
    if isinstance(value, dict):
        return {repair_python_value(key): repair_python_value(item) for key, item in value.items()}
    if isinstance(value, int) and value > 10**308:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


@pytest.mark.slow
@settings(deadline=None)
@given(DOCUMENTS)
def test_only_values_that_no_table_can_hold_change(document: str) -> None:
    assert load_json(document.encode()).value == repair_python_value(json.loads(document))


@pytest.mark.parametrize(
    ("text", "value", "count"),
    [
        ('{"a": "x"}', {"a": "x"}, 0),
        ('"cut \\ud83d"', "cut \ufffd", 1),
        ('"\\ude00\\ud83d\\ud83d\\ude00"', "\ufffd\ufffd\U0001f600", 2),
        ('"\\\\ud83d \\ud83d\\\\ude00"', "\\ud83d \ufffd\\ude00", 1),
        ('{"\\ud83d": 1}', {"\ufffd": 1}, 1),
        ('["1e400", "\\" 1e400", 1e400]', ["1e400", '" 1e400', None], 1),
        ("[-1e400, 1e+0400, 1e308, 0." + "0" * 300 + "1]", [None, None, 1e308, 1e-301], 2),
        ("[" + "1" * 400 + ", " + "1" * 250 + "e99]", [None, None], 2),
        ("[NaN, Infinity, -Infinity]", [None, None, None], 3),
        ('["\\ud83d", NaN, ' + "1, " * 5000 + "1e999]", ["\ufffd", None, *[1] * 5000, None], 3),
        ("[NaN, 18446744073709551615]", [None, 18446744073709551615], 1),
    ],
)
def test_repairs_are_counted(text: str, value: object, count: int) -> None:
    assert load_json(text) == (value, count)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[1e400",
        b"[1e400,]",
        b"[1e400 oops]",
        b"[1.2.3e400]",
        b'"\\ud83d',
        b'"\\ud83d\xff"',
        b'["\\ud83d", "\\x"]',
        b"nan",
        b"[" * 5000,
        b"[1e400," + b"[" * 2000 + b"]" * 2001,
    ],
)
def test_other_text_that_is_not_json_is_an_error(raw: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        load_json(raw)
