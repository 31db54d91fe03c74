"""The ids of one person become one user, in any order of files."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.persons import PERSONS_SCHEMA, find_persons
from turret_pipeline.scrubbing.identifiers import hash_ids
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import FILE_TIME, NOON, at, import_rows, read_files, row, write_files


def track(
    event_id: str, minutes: float, user: object = None, anonymous: object = "a1", **more: object
) -> dict[str, Any]:
    """A track call of Segment."""
    ids = {"userId": user, "anonymousId": anonymous}
    return {"type": "track", "messageId": event_id, "event": "asked", "timestamp": at(minutes), **ids} | more


def call(kind: str, minutes: float, **ids: object) -> dict[str, Any]:
    """A call of Segment that is no event."""
    return {"type": kind, "messageId": f"{kind}-{minutes}", "timestamp": at(minutes), **ids}


def posthog(event_id: str, minutes: float, user: str, event: str = "asked", **properties: object) -> dict[str, Any]:
    """An event of PostHog."""
    return {
        "uuid": event_id,
        "event": event,
        "distinct_id": user,
        "timestamp": at(minutes),
        "properties": properties,
    }


def mixpanel(event_id: str, minutes: float, event: str = "asked", **properties: object) -> dict[str, Any]:
    """An event of Mixpanel; its properties have no dollar signs here."""
    named = {name if name in {"distinct_id", "alias"} else f"${name}": value for name, value in properties.items()}
    return {"event": event, "properties": {"time": at(minutes), "$insert_id": event_id, **named}}


def users_of(lake: Lake) -> dict[str, str | None]:
    return dict(lake.read("events").sort("event_id").select("event_id", "user_id").iter_rows())


def identity_rows(lake: Lake) -> list[tuple[object, ...]]:
    return lake.read("identities").select("sent_id", "id_kind", "user_id", "evidence").rows()


@pytest.mark.parametrize("order", list(itertools.permutations(["before", "sign_in", "after"])))
def test_a_visitor_who_signs_in_is_one_user_and_one_session_in_any_order_of_files(
    tmp_path: Path, order: Sequence[str]
) -> None:
    rows = {
        "before": [track("e1", 0), track("e2", 1)],
        "sign_in": [call("identify", 2, userId="u1", anonymousId="a1")],
        "after": [track("e3", 3, "u1"), track("e4", 4, "u1")],
    }
    lake = import_rows(tmp_path, {f"{name}.jsonl": rows[name] for name in order})
    events = lake.read("events")
    assert users_of(lake) == dict.fromkeys(("e1", "e2", "e3", "e4"), "u1")
    assert set(events["session_id"]) == {"session-e1"}
    assert lake.read("rejected_events")["reason_code"].to_list() == ["not_an_event"]
    assert identity_rows(lake) == [
        ("a1", "anonymous", "u1", "event, Segment call"),
        ("u1", "user", "u1", "event, Segment call"),
    ]


def test_a_later_run_resolves_what_an_earlier_one_left_anonymous(tmp_path: Path) -> None:
    assert users_of(import_rows(tmp_path, {"a.jsonl": [track("e1", 0)]})) == {"e1": "a1"}
    assert users_of(import_rows(tmp_path, {"b.jsonl": [track("e2", 1, "u1")]})) == {"e1": "u1", "e2": "u1"}


def test_an_anonymous_id_of_several_users_belongs_to_the_one_who_signs_in_next_or_else_the_last(
    tmp_path: Path,
) -> None:
    rows = [
        *(track(f"e{minutes}", minutes) for minutes in (0, 15, 25, 50)),
        *(call("identify", minutes, userId=user, anonymousId="a1") for minutes, user in ((10, "A"), (12, "A"))),
        *(call("identify", minutes, userId=user, anonymousId="a1") for minutes, user in ((20, "B"), (30, "A"))),
        *(track(f"{user}{minutes}", minutes, user) for minutes, user in ((40, "A"), (45, "B"))),
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert users_of(lake) == {"A40": "A", "B45": "B", "e0": "A", "e15": "B", "e25": "A", "e50": "B"}
    assert [(sent, person) for sent, _, person, _ in identity_rows(lake)] == [
        ("A", "A"),
        ("B", "B"),
        ("a1", "A"),
        ("a1", "B"),
    ]


def test_a_user_that_is_sent_as_anonymous_id_of_another_user_stays_a_user(tmp_path: Path) -> None:
    rows = [
        posthog("e1", 0, "anonymous-1"),
        posthog("e2", 1, "A", "$identify", **{"$anon_distinct_id": "anonymous-1"}),
        posthog("e3", 2, "A"),
        posthog("e4", 3, "B", "$identify", **{"$anon_distinct_id": "A"}),
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert users_of(lake) == {"e1": "A", "e2": "A", "e3": "A", "e4": "B"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_chain_of_aliases_is_one_user(tmp_path: Path, order: Sequence[int]) -> None:
    rows = [
        [call("alias", 1, previousId="one", userId="two"), track("e1", 0, "one", None)],
        [call("alias", 2, previousId="two", userId="three"), track("e2", 0, "two", None)],
        [call("alias", 3, previousId="three", userId="four"), track("e3", 0, "three", None), track("e4", 9, "x", None)],
    ]
    lake = import_rows(tmp_path, {f"{number}.jsonl": rows[number] for number in order})
    assert users_of(lake) == {"e1": "four", "e2": "four", "e3": "four", "e4": "x"}


def test_an_alias_does_not_unite_users_who_share_an_anonymous_id(tmp_path: Path) -> None:
    rows = [
        *(track("e0", 0), track("e1", 15)),
        *(call("alias", 10, previousId="a1", userId="A", anonymousId="a1"), track("A", 11, "A")),
        *(call("alias", 20, previousId="a1", userId="B", anonymousId="a1"), track("B", 21, "B")),
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert users_of(lake) == {"A": "A", "B": "B", "e0": "A", "e1": "B"}


def test_the_calls_of_posthog_and_mixpanel_are_evidence(tmp_path: Path) -> None:
    rows = [
        posthog("p1", 0, "web-1"),
        posthog("p2", 1, "server-1", "$create_alias", alias="web-1"),
        posthog("p3", 2, "device-1"),
        posthog("p4", 3, "user-1", **{"$device_id": "device-1", "$user_id": "user-1"}),
        mixpanel("m1", 0, distinct_id="$device:d1", device_id="d1"),
        mixpanel("m2", 1, distinct_id="m-1", device_id="d1", user_id="m-1"),
        mixpanel("m3", 0, distinct_id="old-2"),
        mixpanel("m4", 1, "$identify", distinct_id="m-2", identified_id="m-2", anon_id="old-2"),
        mixpanel("m5", 0, distinct_id="m-4"),
        mixpanel("m6", 1, "$merge", distinct_ids=["m-3", "m-4", 5]),
        mixpanel("m7", 0, distinct_id="m-5"),
        mixpanel("m8", 1, "$create_alias", distinct_id="m-6", alias="m-5"),
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    assert users_of(lake) == {
        "p1": "server-1",
        "p2": "server-1",
        "p3": "user-1",
        "p4": "user-1",
        "m1": "m-1",
        "m2": "m-1",
        "m3": "m-2",
        "m4": "m-2",
        "m5": "m-3",
        "m6": None,
        "m7": "m-6",
        "m8": "m-6",
    }
    kinds = {sent: kind for sent, kind, *_ in identity_rows(lake)}
    assert {sent for sent, kind in kinds.items() if kind == "device"} == {
        "device-1",
        "d1",
        "$device:d1",
        "$device:old-2",
    }
    assert {sent for sent, kind in kinds.items() if kind == "anonymous"} == {"old-2"}
    assert {"5", "m-3"} < kinds.keys()


def test_values_that_are_no_ids_are_no_evidence(tmp_path: Path) -> None:
    rows = [
        track("e1", 0, "u1", "null"),
        track("e2", 1, "u2", "00000000-0000-0000-0000-000000000000"),
        track("e3", 2, "null", "a1"),
        call("identify", 3, userId={"id": 1}, anonymousId="a1"),
        call("identify", 4, userId="assistant", anonymousId="a1"),
        call("alias", 5, previousId=None, userId="u1"),
    ]
    assert users_of(import_rows(tmp_path, {"a.jsonl": rows})) == {"e1": "u1", "e2": "u2", "e3": "a1"}


def test_ids_stay_apart_if_they_are_not_to_be_resolved(tmp_path: Path) -> None:
    rows = [track("e1", 0), track("e2", 1, "u1"), call("alias", 2, previousId="u1", userId="u2")]
    lake = import_rows(tmp_path, {"a.jsonl": rows}, CanonicalOptions(resolve_identities=False))
    assert users_of(lake) == {"e1": "a1", "e2": "u1"}
    assert identity_rows(lake) == [("a1", "user", "a1", "event"), ("u1", "user", "u1", "event")]


def test_hashed_ids_are_resolved_too(tmp_path: Path) -> None:
    salt = "a long salt"
    rows = [track("e1", 0), track("e2", 1, "u1"), call("alias", 2, previousId="u1", userId="u2")]
    options = ParseOptions(FILE_TIME, privacy=Privacy(salt=salt))
    parts, _ = read_files(tmp_path, write_files(tmp_path, {"a.jsonl": rows}), options)
    lake = Lake(tmp_path / "lake")
    write_canonical(parts, lake, CanonicalOptions())
    names = ["a1", "u1", "u2"]
    hashed = dict(zip(names, hash_ids(pl.Series(names), salt), strict=True))
    assert users_of(lake) == dict.fromkeys(("e1", "e2"), hashed["u2"])
    assert set(lake.read("identities")["sent_id"]) == set(hashed.values())
    content = "".join(pl.read_parquet(file).write_json() for file in sorted(lake.root.rglob("*.parquet")))
    assert not [name for name in names if f'"{name}"' in content]


def test_events_without_evidence_keep_their_users(tmp_path: Path) -> None:
    lake = import_rows(tmp_path, {"a.jsonl": [row("e1"), row("e2", user_id="u2"), row("e3", user_id=None)]})
    assert users_of(lake) == {"e1": "u1", "e2": "u2", "e3": None}
    assert identity_rows(lake) == [("u1", "user", "u1", "event"), ("u2", "user", "u2", "event")]


def test_no_files_give_no_identities(tmp_path: Path) -> None:
    assert import_rows(tmp_path, {}).read("identities").is_empty()


def links(*pairs: tuple[str, str]) -> pl.DataFrame:
    sent, linked = [one for one, _ in pairs], [other for _, other in pairs]
    types = {"sent_id": pl.String(), "linked_id": pl.String(), "seen_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame({"sent_id": sent, "linked_id": linked, "seen_at": [NOON] * len(pairs)}, pl.Schema(types))


def test_the_person_of_a_loop_of_aliases_is_the_first_by_name() -> None:
    found = find_persons(links(("b", "c"), ("c", "b"), ("x", "y"), ("z", "y")))
    expected = {"id": ["b", "c", "x", "y", "z"], "person_id": ["b", "b", "y", "y", "y"]}
    assert_frame_equal(found, pl.DataFrame(expected, PERSONS_SCHEMA))
    assert_frame_equal(find_persons(links()), pl.DataFrame(schema=PERSONS_SCHEMA))
