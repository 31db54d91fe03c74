"""Tombstones and the words of a text that may be ids."""

import time
from pathlib import Path

import pytest

from turret_pipeline.clock import now
from turret_pipeline.errors import TurretError
from turret_pipeline.storage.tombstones import USER, Tombstones, list_tokens


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"user_id": "ana", "oops', "ana"),
        ('{"user_id": 7, "oops', "7"),
        ('{"note": "\\u0061na"}', "ana"),
        ("1,ana lee,2026-01-01", "ana lee"),
        ("by ana.", "ana"),
        ("mail ana@example.com, please", "ana@example.com"),
        ("id auth0|12ab-3", "auth0|12ab-3"),
        ('{"user": "ana', "ana"),
    ],
)
def test_an_id_is_found_as_a_word_of_a_text(text: str, wanted: str) -> None:
    assert wanted in set(list_tokens(text))


def test_parts_of_words_and_small_bare_numbers_are_no_ids() -> None:
    assert not {"ana", "7"} & set(list_tokens('{"user_id": "anabel", "quantity": 7}\nbanana,7'))


@pytest.mark.parametrize("unit", ['"', '\\"', ".", "a.", ",", "a", "1", '{"id":'])
def test_words_are_listed_in_time_proportional_to_the_text(unit: str) -> None:
    def measure(count: int) -> float:
        started = time.process_time()
        for _ in list_tokens('"' + unit * count):
            pass
        return time.process_time() - started

    small = min(measure(20_000) for _ in range(3))
    assert min(measure(160_000) for _ in range(3)) < 25 * small + 0.05


def test_a_tombstone_needs_its_key_and_holds_no_value(tmp_path: Path) -> None:
    tombstones = Tombstones(tmp_path / "forgotten")
    tombstones.add(USER, ["quentin", "quentin"])
    tombstones.request(USER, 1, now())
    tombstones.log(now(), {"event_count": 2}, "run")
    again = Tombstones(tmp_path / "forgotten")
    assert again.select(USER, ["quentin", "ana"]) == ["quentin"]
    assert again.select("session", ["quentin"]) == []
    assert not any(b"quentin" in file.read_bytes() for file in (tmp_path / "forgotten").iterdir())
    assert (tmp_path / "forgotten" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "forgotten").stat().st_mode & 0o777 == 0o700
    (tmp_path / "forgotten" / "key").unlink()
    with pytest.raises(TurretError, match=r"key .* is missing: restore it from a backup"):
        Tombstones(tmp_path / "forgotten").select(USER, ["quentin"])
