"""Items of a batch. An item that is not JSON costs no other item."""

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from turret_pipeline.collector.api_errors import INVALID_REQUEST
from turret_pipeline.collector.wire.validation import ValidationError
from turret_pipeline.json_repair import load_json_in_steps

_BEFORE_SIGN = r'(?:[^"%s]++|"(?:[^"\\]++|\\.)*+")*+([%s])'
_NEXT_BRACKET, _NEXT_SIGN = (
    re.compile((_BEFORE_SIGN % (signs, signs)).encode(), re.DOTALL) for signs in (r"\[\]{}", r"\[\]{},")
)
"""Patterns up to the next bracket outside of strings, and up to the next bracket or comma."""


@dataclass(frozen=True)
class Items:
    """Items of a batch: the value of each or the error why it is not JSON, and the repaired values by index."""

    values: list[object]
    repaired_counts: Mapping[int, int] = field(default_factory=dict)


def recover_items(body: bytes, max_items: int) -> Generator[None, None, Items | None]:
    """Items of an array that is not JSON as a whole, at most one more than ``max_items``; None if it has no end.

    Each is parsed separately. Yields after each short step.
    """
    texts = yield from _split_array(body, max_items)
    return None if texts is None else (yield from parse_items(texts))


def parse_items(texts: Sequence[bytes]) -> Generator[None, None, Items]:
    """Items given as JSON texts, repaired where possible. Yields after each short step."""
    values, repaired_counts = list[object](), dict[int, int]()
    for index, text in enumerate(texts):
        try:
            value, repaired_count = yield from load_json_in_steps(text)
        except orjson.JSONDecodeError as error:
            value, repaired_count = ValidationError(INVALID_REQUEST, f"The item is not JSON: {error}."), 0
        values.append(value)
        if repaired_count:
            repaired_counts[index] = repaired_count
        yield
    return Items(values, repaired_counts)


def _split_array(body: bytes, max_items: int) -> Generator[None, None, list[bytes] | None]:
    """Texts between the commas of an array, at most one more than ``max_items``; None if brackets do not match."""
    array = body.strip()
    if array[:1] != b"[":
        return None
    texts, start, at, depth = list[bytes](), 1, 1, 1
    while depth and len(texts) <= max_items:
        found = (_NEXT_SIGN if depth == 1 else _NEXT_BRACKET).match(array, at)
        if found is None:
            return None
        sign, at = found[1], found.end()
        depth += (sign in b"[{") - (sign in b"]}")
        if not depth or (depth == 1 and sign == b","):
            texts.append(array[start : at - 1])
            start = at
        yield
    return texts if depth or at == len(array) else None
