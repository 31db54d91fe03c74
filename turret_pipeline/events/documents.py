"""JSON documents to rows: the items of arrays, or objects that span many lines, one after the other."""

import json
from collections.abc import Iterator

import orjson

from turret_pipeline.events.formats import Refused
from turret_pipeline.events.rows import RAW_LIMIT, Record

ITEM_LIMIT = 32 << 20
"""Characters that an item may have."""

_BLANK = " \t\r\n"


def document_records(lines: Iterator[Record]) -> Iterator[Record]:
    """The items of JSON arrays and objects that lines of text make up together.

    What follows damage is one refusal: nobody can tell where the next item begins. Lines that are no text are left out
    and refused at the end.
    """
    damage: list[Record] = []
    position = 0
    for position, record in enumerate(_items(_texts(lines, damage)), start=1):
        yield Record(position, record.value, record.raw)
    for extra, line in enumerate(damage, start=1):
        yield Record(position + extra, line.value, line.raw)


def _texts(lines: Iterator[Record], damage: list[Record]) -> Iterator[str]:
    """The text of lines, some at a time; those that have none are added to ``damage``."""
    held, size = list[str](), 0
    for line in lines:
        if isinstance(line.value, Refused):
            damage.append(line)
            continue
        held.append((line.raw or "") + "\n")
        size += len(held[-1])
        if size > ITEM_LIMIT // 8:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _items(texts: Iterator[str]) -> Iterator[Record]:
    """Items found one after the other, each without its position; more text is taken where one is not yet whole."""
    decoder, text, at, in_array = json.JSONDecoder(parse_int=len), "", 0, False  # integers of any length
    while True:
        at, in_array = _next_item(text, at, in_array)
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            more = next(texts, None) if len(text) - at < ITEM_LIMIT else None
            if more is not None:
                text, at = text[at:] + more, 0
                continue
            if at < len(text):
                reason = f"The document is not JSON from item to item: {error}."
                yield Record(0, Refused("invalid_json", reason), text[at : at + RAW_LIMIT].rstrip())
            return
        yield _item(text[at:end])
        at = end


def _next_item(text: str, at: int, in_array: bool) -> tuple[int, bool]:
    """Where the next item begins, behind what stands between items, and whether that is within an array."""
    while at < len(text) and (text[at] in _BLANK or text[at] in ",]" or (text[at] == "[" and not in_array)):
        in_array = text[at] == "[" or (in_array and text[at] != "]")
        at += 1
    return at, in_array


def _item(raw: str) -> Record:
    try:
        return Record(0, orjson.loads(raw), raw)
    except orjson.JSONDecodeError as error:
        return Record(0, Refused("invalid_json", f"This is not JSON: {error}."), raw)
