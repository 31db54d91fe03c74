"""JSON documents to rows: the items of arrays, or objects that span many lines, one after the other."""

import codecs
import json
import re
from collections.abc import Iterator

import orjson

from turret_pipeline.events.formats import Refused
from turret_pipeline.events.rows import RAW_LIMIT, Record

Chunk = list[bytes] | Refused
"""Bytes in pieces, or a refusal of what would follow."""

ITEM_LIMIT = 32 << 20
"""Characters that an item may have."""

MOST_INDENT, MOST_OVERLAP = 100, 1000
"""Characters before an item that tell how far to the right it is, and that the begin of an item has at most."""

_DOCUMENT = re.compile(rb"\[[ \t\r]*(?:[{\[\]\n]|\Z)|\{[ \t\r]*(?:\n|\Z)")
_NO_TEXT = re.compile("[\udc80-\udcff]")
_BLANK = " \t\r\n"
_INDENT = re.compile(r"\n[ \t]*\Z")
_FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.){0,100}")')


def opens_document(begin: bytes) -> bool:
    """Whether a file whose first bytes but for white space these are is a document, and not lines of JSON each."""
    return _DOCUMENT.match(begin) is not None


def document_records(chunks: Iterator[Chunk]) -> Iterator[Record]:
    """The items of JSON arrays and objects that chunks of bytes make up together, by their position.

    Damage costs the item that it stands in, up to the next one that begins alike. A refusal among the chunks comes at
    the end.
    """
    damage: list[Refused] = []
    position = 0
    for position, record in enumerate(_items(_texts(chunks, damage)), start=1):
        yield Record(position, record.value, record.raw)
    for extra, refusal in enumerate(damage, start=1):
        yield Record(position + extra, refusal, "")


def _texts(chunks: Iterator[Chunk], damage: list[Refused]) -> Iterator[str]:
    """The text of the chunks, in which a byte that is no text stands as half a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for chunk in chunks:
        if isinstance(chunk, Refused):
            damage.append(chunk)
        else:
            yield decoder.decode(b"".join(chunk))
    yield decoder.decode(b"", final=True)


def _items(texts: Iterator[str]) -> Iterator[Record]:
    """Items found one after the other, each without its position; more text is taken where one is not yet whole."""
    decoder, text, at, in_array = json.JSONDecoder(parse_int=len), "\n", 0, False  # integers of any length
    key = ""
    while True:
        at, in_array = _next_item(text, at, in_array)
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            more = next(texts, None) if len(text) - at < ITEM_LIMIT else None
            if more is not None:
                kept = max(0, at - MOST_INDENT)
                text, at = text[kept:] + more, at - kept
                continue
            if at < len(text):
                skipped, text = _skip(text, at, key, texts)
                reason = f"The document is not JSON from item to item: {error}."
                yield Record(0, Refused("invalid_json", reason), _shown(skipped))
                at = 0
                continue
            return
        yield _item(text[at:end])
        key, at = _first_key(text, at) or key, end


def _skip(text: str, at: int, key: str, texts: Iterator[str]) -> tuple[str, str]:
    """A damaged item up to the next that begins like it, and the text from there; empty where none does.

    It begins like it where it is as far to the right, if it begins a line, and else where it has the same first key, or
    that of the item before, ``key``.
    """
    indent = _INDENT.search(text, max(0, at - MOST_INDENT), at)
    keys = "|".join(re.escape(one) for one in {_first_key(text, at), key} if one)
    like_it = rf"{indent[0]}\{{" if indent else rf"[,\n]\s*\{{\s*(?:{keys})" if keys else None
    pattern = re.compile(like_it) if like_it else None
    found = pattern and pattern.search(text, at)
    skipped = text[at : found.start() if found else None][:RAW_LIMIT].rstrip()
    while pattern and not found:
        more = next(texts, None)
        if more is None:
            break
        text = text[-MOST_OVERLAP:] + more
        found = pattern.search(text)
    return skipped, text[found.start() :] if found else ""


def _first_key(text: str, at: int) -> str:
    """The quoted first key of the object at a place."""
    found = _FIRST_KEY.match(text, at)
    return found[1] if found else ""


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
        refusal = Refused("invalid_json", f"This is not JSON: {error}.")
    return Record(0, _encoding(raw) or refusal, _shown(raw))


def _encoding(raw: str) -> Refused | None:
    """The refusal of an item with a byte that is no text."""
    found = _NO_TEXT.search(raw)
    return (
        Refused("invalid_encoding", f"This is not UTF-8: character {found.start() + 1} of the item.") if found else None
    )


def _shown(raw: str) -> str:
    return _NO_TEXT.sub("\ufffd", raw[:RAW_LIMIT])
