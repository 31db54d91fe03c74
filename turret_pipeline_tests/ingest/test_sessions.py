"""A session has one user, and ids that the collector made up count only if a client sent them back."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import FILE_TIME, import_rows, read_files, row, write_files


def by_event(lake: Lake) -> dict[str, tuple[str, str | None]]:
    """Session and user by event."""
    events = lake.read("events").sort("event_id").select("event_id", "session_id", "user_id")
    return {event: (session, user) for event, session, user in events.iter_rows()}


def posted(event_id: str, minutes: float, session: str | None = None, user: str | None = None) -> dict[str, Any]:
    """A row that /track stores: ids that the client leaves out are made up."""
    given = {"session_id": session, "user_id": user}
    ids = {name: value or f"{name} made for {event_id}" for name, value in given.items()}
    return row(event_id, minutes, **ids, assumed_ids=[name for name, value in given.items() if value is None])


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_a_session_id_of_several_users_is_a_session_of_each_in_any_order_of_files(
    tmp_path: Path, order: Sequence[str]
) -> None:
    rows = {
        "a": [row("a1", 0, session_id="1", user_id="a"), row("a2", 5, session_id="1", user_id="a")],
        "b": [row("b1", 3, session_id="1", user_id="b"), row("b2", 4, session_id="2", user_id="b")],
        "c": [row("c1", 0, session_id="1", user_id="c"), row("c2", 0, session_id="3", user_id="c")],
    }
    lake = import_rows(tmp_path, {f"{name}.jsonl": rows[name] for name in order})
    found = by_event(lake)
    sessions = {event: session for event, (session, _) in found.items()}
    assert {name: sessions[name] for name in ("a1", "a2", "b2", "c2")} == {"a1": "1", "a2": "1", "b2": "2", "c2": "3"}
    assert all(re.fullmatch("1~[0-9a-f]{12}", sessions[name]) for name in ("b1", "c1"))
    assert sessions["b1"] != sessions["c1"]
    assert lake.read("source_files")["split_session_count"].to_list() == [0, 1, 1]


def test_events_without_a_user_join_the_only_user_of_their_session(tmp_path: Path) -> None:
    rows = [row("e1", 0, session_id="s", user_id=None), row("e2", 1, session_id="s")]
    rows += [row("e3", 2, session_id="s", user_id="assistant"), row("e4", 3, session_id="t", user_id=None)]
    assert by_event(import_rows(tmp_path, {"a.jsonl": rows})) == {
        "e1": ("s", "u1"),
        "e2": ("s", "u1"),
        "e3": ("s", "u1"),
        "e4": ("t", None),
    }


def test_events_without_a_user_in_a_shared_session_join_the_user_before_or_else_after(tmp_path: Path) -> None:
    users = [None, "a", None, "b", None, "a", None]
    rows = [row(f"e{number}", number, session_id="s", user_id=user) for number, user in enumerate(users)]
    found = by_event(import_rows(tmp_path, {"a.jsonl": rows}))
    assert [user for _, user in found.values()] == ["a", "a", "a", "b", "b", "a", "a"]
    assert [session == "s" for session, _ in found.values()] == [True, True, True, False, False, True, True]


def test_a_person_with_several_ids_has_one_session(tmp_path: Path) -> None:
    call = {"type": "track", "event": "asked", "context": {"sessionId": "s"}, "timestamp": "2024-05-01T12:00:00Z"}
    rows = [call | {"messageId": "e1", "anonymousId": "x"}]
    rows += [call | {"messageId": "e2", "anonymousId": "x", "userId": "u"}]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert by_event(lake) == {"e1": ("s", "u"), "e2": ("s", "u")}
    assert lake.read("source_files")["split_session_count"].to_list() == [0]


def test_no_id_of_a_split_session_shows_a_user_if_users_are_hashed(tmp_path: Path) -> None:
    rows = [row("e1", session_id="s", user_id="ada-1815"), row("e2", 1, session_id="s", user_id="bob-1912")]
    options = ParseOptions(FILE_TIME, privacy=Privacy(salt="a long salt"))
    parts, _ = read_files(tmp_path, write_files(tmp_path, {"a.jsonl": rows}), options)
    lake = Lake(tmp_path / "lake")
    write_canonical(parts, lake, CanonicalOptions())
    assert lake.read("events")["session_id"].n_unique() == 2
    content = "".join(pl.read_parquet(file).write_json() for file in sorted(lake.root.rglob("*.parquet")))
    assert "ada-1815" not in content
    assert "bob-1912" not in content
    without_salt = import_rows(tmp_path / "plain", {"a.jsonl": rows}).read("events")["session_id"]
    assert without_salt[1] not in content


@pytest.mark.parametrize("nothing", ["-1", 0, -1, "null", "Undefined", "NONE", "nan", "(not set)", " "])
@pytest.mark.parametrize("extra", [{}, {"plan": "pro"}])
def test_placeholders_are_neither_session_nor_user(tmp_path: Path, nothing: object, extra: dict[str, str]) -> None:
    rows = [row(f"e{number}", session_id=nothing, user_id=nothing) | extra for number in (1, 2)]
    found = by_event(import_rows(tmp_path, {"a.jsonl": rows}))
    assert found == {"e1": ("session-e1", None), "e2": ("session-e2", None)}


def test_rows_may_be_numbered_from_zero_but_words_for_nothing_are_no_event_ids(tmp_path: Path) -> None:
    events = import_rows(tmp_path, {"a.jsonl": [row("0"), row("-1", 1), row("null", 2), row("null", 3)]}).read("events")
    assert events["event_id"].to_list()[:2] == ["0", "-1"]
    assert events["event_id"].n_unique() == 4


def test_ids_that_nobody_sent_back_are_no_session_and_no_user(tmp_path: Path) -> None:
    rows = [*(posted(f"u{number}", number, user="u1") for number in range(3)), posted("x1", 0), posted("x2", 0)]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert by_event(lake) == {
        **{f"u{number}": ("session-u0", "u1") for number in range(3)},
        "x1": ("session-x1", None),
        "x2": ("session-x2", None),
    }
    assert lake.read("source_files")["assumed_user_count"].to_list() == [2]


@pytest.mark.parametrize("extra", [{}, {"extra": 1}])
def test_ids_that_a_client_sent_back_are_real_from_their_first_event(tmp_path: Path, extra: dict[str, int]) -> None:
    first = posted("e1", 0) | extra
    session, user = first["session_id"], first["user_id"]
    assert by_event(import_rows(tmp_path, {"a.jsonl": [first]})) == {"e1": ("session-e1", None)}
    lake = import_rows(tmp_path, {"b.jsonl": [posted("e2", 100, session, user), posted("e3", 200, session)]})
    assert by_event(lake) == dict.fromkeys(("e1", "e2", "e3"), (session, user))
    assert lake.read("source_files").sort("source_file")["assumed_user_count"].to_list() == [0, 1]


def test_a_list_of_other_assumed_ids_is_metadata(tmp_path: Path) -> None:
    lake = import_rows(tmp_path, {"a.jsonl": [row("e1", assumed_ids=["order_id"]), row("e2", assumed_ids="user_id")]})
    assert set(lake.read("event_values")["field"]) == {"assumed_ids"}
    assert [user for _, user in by_event(lake).values()] == ["u1", "u1"]
