"""Requests to erase: lists, previews, and files that a collector is writing."""

import threading
from pathlib import Path

import pytest

from turret_pipeline.collector.landing_files import LandingFile
from turret_pipeline.erasure.erase import erase
from turret_pipeline.erasure.request import Request, list_open_files, preview, read_request_list, wait_for_open_files
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.erasure.folders import event, forget, list_events, read, settings_of, write_lines


def test_a_list_names_users_sessions_and_files(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("user ana\n\nsession s 1\nfile dumps/a.jsonl\nuser bob\n")
    assert read_request_list(listed) == Request(("ana", "bob"), ("s 1",), ("dumps/a.jsonl",))
    listed.write_text("user ana\nana\n")
    with pytest.raises(TurretError, match=r"Line 2 of .* names nothing to erase: write user ID"):
        read_request_list(listed)


def test_a_preview_counts_lists_files_and_changes_nothing(tmp_path: Path) -> None:
    outside = write_lines(tmp_path / "dumps" / "b.jsonl", [event("e2", "ana"), event("e3", "bob")])
    settings = settings_of(tmp_path / "data", inputs=[str(outside), str(tmp_path / "data" / "landing")])
    inside = write_lines(tmp_path / "data" / "landing" / "a.jsonl", [event("e1", "ana")])
    data = read(settings)
    before = sorted((path, path.stat().st_mtime_ns) for path in data.root.rglob("*"))
    found = preview(data, settings, Request(users=("ana",)))
    assert (found.counts.event_count, found.counts.row_count) == (2, 2)
    assert (found.landing_files, found.outside_files) == ([inside], [str(outside)])
    assert sorted((path, path.stat().st_mtime_ns) for path in data.root.rglob("*")) == before
    with pytest.raises(TurretError, match="was never read and does not exist"):
        preview(data, settings, Request(files=("none.jsonl",)))


def test_a_file_that_the_collector_is_writing_is_waited_for_and_loses_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_lines(tmp_path / "landing" / "a.jsonl", [event("e1", "ana"), event("e2", "bob")])
    written = write_lines(tmp_path / "lines", [event("e3", "ana"), event("e4", "bob")]).read_bytes()
    file = LandingFile(tmp_path / "landing")
    file.append(written)
    file.sync()
    data = forget(settings, ["ana"])
    assert list_open_files(data) == list((tmp_path / "landing").glob("*/.*.open"))
    assert len(wait_for_open_files(data, 0)) == 1
    threading.Timer(0.2, file.finish).start()
    assert wait_for_open_files(data, 30) == []
    erase(read(settings), settings, "run")
    assert list_events(settings) == ["e2", "e4"]
    (finished,) = (tmp_path / "landing").glob("*/*.jsonl")
    assert finished.read_text() == "\n" + written.decode().splitlines()[1] + "\n"
