"""Many texts at once, before they are stored: Rust looks for hints in all, Python reads what has one.

A hint finds at least what the precise patterns find (a test holds them together), so a text without one stays as it
is, to the byte.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import polars as pl

from turret_pipeline.scrubbing.boundary import NO_DIGITS, STARTS
from turret_pipeline.scrubbing.precise import FIELD_HINTS, HINTS, KINDS, context, scrub_hinted

SCRUBBED_COUNTS = pl.Schema({"field": pl.String(), "kind": pl.String(), "value_count": pl.Int64()})

_SHORTEST = 6
"""Characters of a text with a hit, unless it has a colon, as "::1" and "://a@" have."""


@dataclass(frozen=True)
class Scrubbed:
    """Documents with marks, and SCRUBBED_COUNTS: how many values of a field had how many of a kind, by name."""

    documents: pl.Series
    counts: pl.DataFrame


class _Leaf(NamedTuple):
    document: int
    container: Any
    key: Any
    field: str
    before: str


def scrub_documents(documents: pl.Series, kinds: Collection[str]) -> Scrubbed:
    """JSON objects as text, with marks in their string values at any depth; keys stay.

    A document without a hit stays as it is, to the byte; one with a hit is written anew (compact, of equal keys the
    last). A value counts once for its kind, under its field; a list is one value, as in event_values. What a field is
    called counts too: the value of "phone" is one sooner than that of "order_id".
    """
    _refuse_unknown(kinds)
    candidates = _candidates(documents, _document_hint(frozenset(kinds)))
    parsed = _loaded(candidates["text"])
    leaves = [leaf for number, document in enumerate(parsed) for leaf in _leaves(number, document)]
    texts = pl.Series([leaf.before + leaf.container[leaf.key] for leaf in leaves], dtype=pl.String)
    changed, counted = set[int](), set[tuple[int, str, str]]()
    for index, text, hinted in _hinted(texts, kinds):
        leaf = leaves[index]
        clean, found = scrub_hinted(text, len(leaf.before), kinds, hinted)
        if found:
            leaf.container[leaf.key] = clean
            changed.add(leaf.document)
            counted.update((leaf.document, leaf.field, kind) for kind in found)
    numbers = sorted(changed)
    clean_documents = pl.Series([_dumped(parsed[number]) for number in numbers], dtype=pl.String)
    return Scrubbed(_replaced(documents, candidates["index"].gather(numbers), clean_documents), _counts(counted))


def scrub_texts(texts: pl.Series, kinds: Collection[str]) -> pl.Series:
    """Texts with marks for what is of these kinds; null stays null."""
    _refuse_unknown(kinds)
    pairs = [(index, *scrub_hinted(text, 0, kinds, hinted)) for index, text, hinted in _hinted(texts, kinds)]
    indices = pl.Series([index for index, _, found in pairs if found], dtype=pl.UInt32)
    return _replaced(texts, indices, pl.Series([clean for _, clean, found in pairs if found], dtype=pl.String))


def _refuse_unknown(kinds: Collection[str]) -> None:
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"{unknown[0]!r} is no kind of what can be scrubbed. Known are {', '.join(KINDS)}.")


def _candidates(texts: pl.Series, hint: str) -> pl.DataFrame:
    """Columns index and text of the texts with a hint."""
    frame = pl.LazyFrame({"text": texts}).with_row_index()
    return frame.filter(pl.col("text").str.contains(hint)).collect(engine="streaming").sort("index")


def _hinted(texts: pl.Series, kinds: Collection[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Index, text and kinds of each text that has a hint."""
    names = sorted(kinds)
    candidates = _candidates(texts, _text_hint(frozenset(names)))
    has = candidates.select(pl.col("text").str.contains(_text_hint(frozenset([name]))).alias(name) for name in names)
    for index, text, flags in zip(candidates["index"], candidates["text"], has.iter_rows(), strict=True):
        yield index, text, [name for name, flag in zip(names, flags, strict=True) if flag]


@lru_cache
def _text_hint(kinds: frozenset[str]) -> str:
    """What a plain text with a hit has; nothing matches where no kind is asked for."""
    hints = [hint.replace(NO_DIGITS, "[^0-9]*") for kind in sorted(kinds) for hint in HINTS[kind]]
    return "(?s)" + ("|".join(hints) or r"[^\s\S]")


@lru_cache
def _document_hint(kinds: frozenset[str]) -> str:
    """What a JSON text with a hit has inside a string: numbers and times outside of strings are no hints.

    Escapes other than of quotes, backslashes and white space could hide anything, so they are hints.
    """
    hints = [hint for kind in sorted(kinds) for hint in (*HINTS[kind], *FIELD_HINTS.get(kind, ()))]
    anywhere = "|".join([*hints, r"\\[u/bf]"] if hints else [r"[^\s\S]"])
    at_start = "|".join(
        [*dict.fromkeys(_without_start(hint) for hint in hints), r"\\[u/bf]"] if hints else [r"[^\s\S]"]
    )
    return rf'(?s)\A(?:[^"]|"(?:[^"\\]|\\.)*")*"(?:(?:[^"\\]|\\.)*(?:{anywhere})|(?:{at_start}))'


def _without_start(hint: str) -> str:
    for start in STARTS:
        hint = hint.removeprefix(start)
    return hint


def _loaded(documents: pl.Series) -> list[Any]:
    """The documents; by the standard library where one may hold integers beyond 64 bits or half of a surrogate pair."""
    has_long_number = documents.str.contains("[0-9]{18}")
    return [
        _loads_any(document) if is_long else _loads(document)
        for document, is_long in zip(documents, has_long_number, strict=True)
    ]


def _loads(document: str) -> object:
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return _loads_any(document)


def _loads_any(document: str) -> object:
    """Integers of any length; those that even Python does not read become as near a number as there is."""
    try:
        return json.loads(document)
    except ValueError:
        return json.loads(document, parse_int=float)


def _dumped(document: object) -> str:
    try:
        return orjson.dumps(document).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(document, separators=(",", ":"))


def _leaves(number: int, document: object) -> Iterator[_Leaf]:
    """Every string of the document that may have a hit."""
    waiting: list[tuple[Any, str, str, bool]] = [(document, "", "", False)]
    while waiting:
        node, field, before, in_list = waiting.pop()
        is_object = isinstance(node, dict)
        for key, value in list(node.items() if is_object else enumerate(node)):
            words = context(key) if is_object else before
            path = field if in_list else f"{field}{key}"
            if isinstance(value, str):
                if len(value) >= _SHORTEST or ":" in value:
                    yield _Leaf(number, node, key, path, words)
            elif isinstance(value, list):
                waiting.append((value, path, words, True))
            elif isinstance(value, dict):
                waiting.append((value, path if in_list else f"{path}.", words, in_list))


def _replaced(values: pl.Series, indices: pl.Series, new: pl.Series) -> pl.Series:
    return values.clone().scatter(indices, new) if len(indices) else values


def _counts(counted: Collection[tuple[int, str, str]]) -> pl.DataFrame:
    rows = pl.DataFrame([(field, kind) for _, field, kind in counted], ["field", "kind"], orient="row")
    if rows.is_empty():
        return SCRUBBED_COUNTS.to_frame()
    return rows.group_by("field", "kind").agg(pl.len().cast(pl.Int64).alias("value_count")).sort("field", "kind")
