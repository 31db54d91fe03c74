"""Rows of XES files."""

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline.events.formats import Rejection
from turret_pipeline.ingest import xes
from turret_pipeline.ingest.discovery import event_files
from turret_pipeline.ingest.xes import xes_records
from turret_pipeline_tests.events.files import read_outcomes, read_records, read_values, write_file

HEAD = b"""<?xml version="1.0" encoding="UTF-8" ?>
<!-- written by hand -->
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
 <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
 <global scope="trace"><string key="concept:name" value="__INVALID__"/></global>
 <global scope="event">
  <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
  <string key="lifecycle:transition" value="complete"/><int key="cost" value="0"/>
 </global>
 <classifier name="Activity" keys="concept:name"/>
 <string key="concept:name" value="Log"/>
"""
TRACE = b"""
 <trace>
  <string key="concept:name" value="c-1"/>
  <string key="channel" value="caf\xc3\xa9 &amp; bar"/>
  <event>
   <string key="concept:name" value="Register"/>
   <date key="time:timestamp" value="2026-03-02T09:00:00.000+00:00"/>
   <int key="items" value="3"/><float key="price" value="2.5"/><boolean key="urgent" value="true"/>
   <float key="share" value="NaN"/><int key="odd" value="many"/><id key="identity:id" value="e-1"/>
   <string key="place" value="Oslo"><string key="country" value="Norway"/></string>
   <list key="tags"><values><string key="tag" value="a"/><string key="tag" value="b"/></values></list>
   <container key="box"><int key="w" value="1"/></container>
  </event>
  <event><string key="concept:name" value="Close"/><string key="lifecycle:transition" value="start"/></event>
 </trace>"""
ONE = {
    "case:concept:name": "c-1",
    "case:channel": "café & bar",
    "lifecycle:transition": "complete",
    "concept:name": "Register",
    "time:timestamp": "2026-03-02T09:00:00.000+00:00",
    "items": 3,
    "price": 2.5,
    "urgent": True,
    "odd": "many",
    "identity:id": "e-1",
    "place": {"value": "Oslo", "country": "Norway"},
    "tags": ["a", "b"],
    "box": {"w": 1},
}
TWO = {
    "case:concept:name": "c-1",
    "case:channel": "café & bar",
    "concept:name": "Close",
    "lifecycle:transition": "start",
}
LOG = HEAD + TRACE + b"\n</log>\n"


def read_values_and_rejections(path: Path) -> list[object]:
    return [record.value for record in read_records(path)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xes", LOG),
        ("a.xes.gz", gzip.compress(LOG)),
        ("a.xml", b"\xef\xbb\xbf" + LOG),
        ("a.xes", LOG.decode().replace("UTF-8", "UTF-16").encode("utf-16")),
        ("a.xes", LOG.replace(b"<log", b"<x:log").replace(b"</log", b"</x:log").replace(b"xmlns", b"xmlns:x")),
    ],
    ids=["plain", "gzip", "by content", "UTF-16", "prefix"],
)
def test_events_are_rows_with_the_attributes_of_their_trace(tmp_path: Path, name: str, content: bytes) -> None:
    assert read_outcomes(write_file(tmp_path, name, content)) == [(1, ONE), (2, TWO)]


def test_attributes_of_one_trace_are_not_those_of_the_next(tmp_path: Path) -> None:
    other = b'<trace><event><string key="concept:name" value="a"/></event></trace><event></event>'
    values = read_values(write_file(tmp_path, "a.xes", HEAD + TRACE + other + b"</log>"))
    default = {"lifecycle:transition": "complete"}
    assert values == [ONE, TWO, default | {"concept:name": "a"}, default]


@pytest.mark.parametrize("content", [b"", HEAD + b"</log>", b"<log/>"])
def test_a_log_without_events_has_no_rows(tmp_path: Path, content: bytes) -> None:
    assert read_outcomes(write_file(tmp_path, "a.xes", content)) == []


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (b"", "no element found"),
        (b"<trace></oops>", "mismatched tag"),
        (b"<trace>\x00", "invalid token"),
        (b"<trace>\xff</trace></log>", "invalid token"),
        (b"</log><log></log>", "junk after document element"),
    ],
)
def test_damage_costs_only_what_follows(tmp_path: Path, rest: bytes, words: str) -> None:
    *found, last = read_values_and_rejections(write_file(tmp_path, "a.xes", HEAD + TRACE + rest))
    assert found == [ONE, TWO]
    assert isinstance(last, Rejection)
    assert (last.code, words in last.reason) == ("damaged_file", True)


def test_cut_compression_keeps_the_events_before_the_cut(tmp_path: Path) -> None:
    traces = TRACE * 3000
    content = gzip.compress(HEAD + traces + b"</log>", 0)
    outcomes = read_outcomes(write_file(tmp_path, "a.xes.gz", content[: len(content) // 2]))
    assert len(outcomes) > 1000
    assert [value for _, value in outcomes[:-1]] == ([ONE, TWO] * 3000)[: len(outcomes) - 1]
    assert outcomes[-1][1] == "damaged_file"


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">',
        b'<!ENTITY a SYSTEM "file:///etc/passwd">',
        b'<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;',
    ],
    ids=["bomb", "external", "parameter"],
)
def test_a_file_that_declares_entities_is_not_read(tmp_path: Path, declaration: bytes) -> None:
    content = b"<!DOCTYPE log [" + declaration + b']><log><event><string key="concept:name" value="&a;"/></event></log>'
    (found,) = read_values_and_rejections(write_file(tmp_path, "a.xes", content))
    assert isinstance(found, Rejection)
    assert found.reason == "The XES file declares the entity 'a': remove the declaration."


def test_xml_that_is_no_log_is_one_rejection(tmp_path: Path) -> None:
    (found,) = read_values_and_rejections(write_file(tmp_path, "a.xes", b"<html><event/></html>"))
    assert isinstance(found, Rejection)
    assert found.reason == "The root of the XML is <html>: an XES file has <log>."


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        (b'<event><string key="k" value="' + b"a" * 3000, "row_too_long"),
        (b"<event>" + b'<string key="k" value="aaaaaaaa"/>' * 200, "row_too_long"),
        (b"<trace>" + b'<string key="k" value="aaaaaaaa"/>' * 200, "row_too_long"),
        (b"<event>" + b'<string key="k">' * 101, "nested_too_deep"),
    ],
    ids=["value", "event", "trace", "depth"],
)
def test_an_event_without_end_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rest: bytes, code: str
) -> None:
    monkeypatch.setattr(xes, "EVENT_LIMIT", 2000)
    monkeypatch.setattr(xes, "FEED_BYTES", 100)
    assert read_outcomes(write_file(tmp_path, "a.xes", HEAD + TRACE + rest)) == [(1, ONE), (2, TWO), (3, code)]


def test_a_long_file_is_read_in_bounded_memory() -> None:
    def chunks() -> Iterator[list[bytes]]:
        yield [HEAD]
        for _ in range(12):
            yield [TRACE * 1000]  # 1 MB
        yield [b"</log>"]

    tracemalloc.start()
    count = sum(1 for _ in xes_records(chunks()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 24_000
    assert peak < 8 << 20


def test_logs_are_found_in_folders(tmp_path: Path) -> None:
    for name in ("a.xes", "b.xes.gz", "c.xml"):
        write_file(tmp_path, name, LOG)
    assert sorted(path.name for path in event_files(tmp_path)) == ["a.xes", "b.xes.gz"]
