"""JSON with a value that no table can hold: half of a surrogate pair, or a number out of range."""

import math
import re
from collections.abc import Callable, Generator
from typing import NamedTuple

import orjson

_HALF, _PAIR = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UP_TO_HALF = re.compile(rf"(?:[^\\]++|{_PAIR}|(?!{_HALF})\\.){{0,999}}+({_HALF})?", re.DOTALL)

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_HUGE = r"NaN|-?Infinity|-?(?=[0-9.]{200}|[0-9.]++[eE]\+?[0-9]{3})[0-9.]++(?:[eE]\+?[0-9]++)?+"
_UP_TO_HUGE = re.compile(rf'(?:[^"0-9NI-]++|{_STRING}|(?!{_HUGE})[0-9NI.eE+-]++){{0,999}}+({_HUGE})?', re.DOTALL)
"""Patterns of the tokens up to a value that may need a repair, which is the group. The next match starts at the end of
the last one. A search for the value alone would find numbers in strings, and halves after an escaped backslash. The
limit of tokens keeps a match short, so that other threads may run in between."""


class Loaded(NamedTuple):
    """A JSON value, and the number of values in it that were repaired."""

    value: object
    repaired_count: int


def load_json(raw: bytes | str) -> Loaded:
    """The value of a JSON text, repaired if that makes it readable.

    Half of a surrogate pair, as in a text that was cut within an emoji, becomes U+FFFD. A number that no float can
    hold, such as 1e400, becomes null, and so do NaN and Infinity, which Python writes. Raises orjson.JSONDecodeError if
    the text is not JSON for any other reason.
    """
    steps = load_json_in_steps(raw)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            loaded: Loaded = end.value
            return loaded


def load_json_in_steps(raw: bytes | str) -> Generator[None, None, Loaded]:
    """The same as ``load_json``, yielding after each short step of a repair."""
    try:
        return Loaded(orjson.loads(raw), 0)
    except orjson.JSONDecodeError as error:
        try:
            text = raw if isinstance(raw, str) else raw.decode()
            whole, half_count = yield from _replace(text, _UP_TO_HALF, lambda _: r"\ufffd")
            finite, number_count = yield from _replace(whole, _UP_TO_HUGE, _null_if_infinite)
            return Loaded(orjson.loads(finite), half_count + number_count)
        except ValueError:
            raise error from None


def _replace(
    text: str, up_to_value: re.Pattern[str], repair: Callable[[str], str]
) -> Generator[None, None, tuple[str, int]]:
    """The text with repaired values, and their number."""
    pieces, copied_to, at, count = list[str](), 0, 0, 0
    while (found := up_to_value.match(text, at)) and found.end() > at:
        if found[1] is not None and (repaired := repair(found[1])) != found[1]:
            pieces += text[copied_to : found.start(1)], repaired
            copied_to = found.end()
            count += 1
        at = found.end()
        yield
    return "".join([*pieces, text[copied_to:]]), count


def _null_if_infinite(number: str) -> str:
    return number if math.isfinite(float(number)) else "null"
