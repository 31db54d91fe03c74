"""Rows of XES files: event logs of process mining in XML.

Each event is a row with the names that process mining uses in tables: attributes of its trace begin with ``case:``. The
file is read as a stream, so memory is bounded by the largest event. An entity that the file declares ends the reading:
expanding entities could fill the memory, and fetching them would read other files.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Record
from turret_pipeline.ingest.json_documents import Chunk

EVENT_LIMIT = 32 << 20
"""Maximum bytes of an event, and of the attributes of a trace before its events."""

DEPTH_LIMIT = 100
FEED_BYTES = 1 << 16
"""Bytes that are parsed before their rows are passed on."""

_LOG_START = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,4000}?-->\s*|<!DOCTYPE[^>\[]*>\s*)*<(?:\w+:)?log[\s>]", re.S
)
_PLACEHOLDERS = frozenset(("", "__INVALID__", "UNKNOWN", "DEFAULT", "string", "name"))
"""Defaults that say nothing, as tools write them."""


def is_log_start(begin: bytes) -> bool:
    """True if these first bytes are those of an XES file."""
    return _LOG_START.match(begin) is not None


def xes_records(chunks: Iterator[Chunk]) -> Iterator[Record]:
    """Events of a log, numbered by position. Damage costs only what follows it."""
    reader = _LogReader()
    number = 0
    for rejection in _feed(reader, chunks):
        rows, reader.rows = reader.rows, []
        for row in [*rows, *([] if rejection is None else [rejection])]:
            number += 1
            yield Record(number, row, "" if isinstance(row, Rejection) else None)


def _feed(reader: "_LogReader", chunks: Iterator[Chunk]) -> Iterator[Rejection | None]:
    """None after each piece of the chunks that was parsed, or the rejection of what follows; it comes last."""
    is_empty = True
    for chunk in chunks:
        if isinstance(chunk, Rejection):
            yield chunk
            return
        for piece in chunk:
            for start in range(0, len(piece), FEED_BYTES):
                is_empty = False
                damage = reader.feed(piece[start : start + FEED_BYTES])
                yield damage
                if damage is not None:
                    return
    if not is_empty:
        yield reader.close()


@dataclass
class _Element:
    """An attribute that is being read, with the attributes in it."""

    key: str | None
    value: object = None
    inner: dict[str, Any] = field(default_factory=dict)
    items: list[Any] | None = None
    """Values in a list; None for attributes that are no list."""

    def add(self, key: str | None, value: object) -> None:
        if self.items is not None:
            self.items.append(value)
        elif key is not None:
            self.inner[key] = value

    def to_value(self) -> object:
        """The value; with attributes in it, an object that also holds them."""
        if self.items is not None:
            return self.items
        own = {} if self.value is None else {"value": self.value}
        return {**own, **self.inner} if self.inner else self.value


class _LogReader:
    """Reader of the events of a log that arrives in pieces. ``rows`` are those that were read since it was emptied."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any] | Rejection] = []
        self._elements: list[_Element] = []
        self._trace: dict[str, Any] = {}
        self._event: dict[str, Any] | None = None
        self._scope: str | None = None
        self._defaults: dict[str, dict[str, Any]] = {"event": {}, "trace": {}}
        self._in_trace, self._is_root, self._fed, self._started_at = False, True, 0, 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = _reject_entity

    def feed(self, data: bytes) -> Rejection | None:
        """Parse more bytes, and return the rejection of what follows if they cannot be read."""
        self._fed += len(data)
        damage = self._parse(lambda: self._parser.Parse(data, False))
        if damage is None and self._fed - max(self._parser.CurrentByteIndex, 0) > EVENT_LIMIT:
            damage = _too_long()
        return damage

    def close(self) -> Rejection | None:
        """Parse the end of the file, and return a rejection if it is cut."""
        return self._parse(lambda: self._parser.Parse(b"", True))

    def _parse(self, parse: Callable[[], object]) -> Rejection | None:
        try:
            parse()
        except Rejection as rejection:
            return rejection
        except expat.ExpatError as error:
            problem = f"{expat.errors.messages[error.code]} at line {error.lineno}"
            return Rejection("damaged_file", f"The XES file cannot be read from here on: {problem}.")
        return None

    def _start(self, tag: str, given: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if self._is_root:
            self._is_root = False
            if name != "log":
                raise Rejection("damaged_file", f"The root of the XML is <{name}>: an XES file has <log>.")
        elif name == "trace" and not self._elements:
            self._trace, self._in_trace = {}, True
            self._started_at = self._parser.CurrentByteIndex
        elif name == "event" and not self._elements:
            self._event = {}
            self._started_at = self._parser.CurrentByteIndex
        elif name == "global":
            self._scope = given.get("scope", "event")
            self._started_at = self._parser.CurrentByteIndex
        elif name in _READ_VALUE:
            self._start_attribute(name, given)

    def _start_attribute(self, name: str, given: dict[str, str]) -> None:
        if not (self._elements or self._scope or self._in_trace or self._event is not None):  # an attribute of the log
            self._started_at = self._parser.CurrentByteIndex
        if self._parser.CurrentByteIndex - self._started_at > EVENT_LIMIT:
            raise _too_long()
        if len(self._elements) >= DEPTH_LIMIT:
            raise Rejection("nested_too_deep", f"An attribute has more than {DEPTH_LIMIT} levels: use fewer.")
        value = _READ_VALUE[name](given.get("value", ""))
        self._elements.append(_Element(given.get("key"), value, items=[] if name == "list" else None))

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name in _READ_VALUE and self._elements:
            self._end_attribute(self._elements.pop())
        elif name == "event" and self._event is not None and not self._elements:
            self._add_row(self._event)
            self._event = None
            self._started_at = self._parser.CurrentByteIndex
        elif name == "trace" and not self._elements:
            self._trace, self._in_trace = {}, False
        elif name == "global":
            self._scope = None

    def _end_attribute(self, element: _Element) -> None:
        if self._elements:
            self._elements[-1].add(element.key, element.to_value())
        elif element.key is None:
            return
        elif self._scope is not None:
            if self._scope in self._defaults and _is_default(element.value):
                self._defaults[self._scope][element.key] = element.value
        elif self._event is not None:
            self._event[element.key] = element.to_value()
        elif self._in_trace:
            self._trace[element.key] = element.to_value()

    def _add_row(self, event: dict[str, Any]) -> None:
        trace = {**self._defaults["trace"], **self._trace}
        row = {**{f"case:{key}": value for key, value in trace.items()}, **self._defaults["event"], **event}
        self.rows.append({key: value for key, value in row.items() if value is not None})


def _is_default(value: object) -> bool:
    """True for a default that events may take over: a text that says something. Numbers and times would be invented."""
    return isinstance(value, str) and value not in _PLACEHOLDERS and not re.match(r"\d{4}-\d\d-\d\d", value)


def _too_long() -> Rejection:
    return Rejection("row_too_long", f"An event has more than {EVENT_LIMIT:,} bytes: the rest of the file is not read.")


def _reject_entity(name: str, *_: object) -> None:
    reason = f"The XES file declares the entity {name[:80]!r}: remove the declaration."
    raise Rejection("damaged_file", reason)


def _read_integer(text: str) -> object:
    return int(text) if re.fullmatch(r"\s*[+-]?\d{1,30}\s*", text) else text or None


def _read_float(text: str) -> object:
    try:
        number = float(text)
    except ValueError:
        return text or None
    return number if math.isfinite(number) else None


def _read_boolean(text: str) -> object:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower(), text or None)


def _read_text(text: str) -> object:
    return text or None


_READ_VALUE: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("string", "date", "id"), _read_text),
    **dict.fromkeys(("list", "container"), lambda _: None),
    "int": _read_integer,
    "float": _read_float,
    "boolean": _read_boolean,
}
"""Types of attributes, with the reader of their values. ``values`` in a list has no value of its own."""
