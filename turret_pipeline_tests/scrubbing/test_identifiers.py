"""Hashing of user ids."""

import polars as pl
import pytest

from turret_pipeline.scrubbing import hash_ids


def test_the_same_id_and_salt_give_the_same_hash_and_null_stays() -> None:
    ids = pl.Series("user_id", ["ann", None, "bo", "ann"])
    first = hash_ids(ids, "a salt")
    assert first.name == "user_id"
    assert first.to_list() == [first[0], None, first[2], first[0]]
    assert first[0] != first[2]
    assert first.reverse().to_list() == hash_ids(ids.reverse(), "a salt").to_list()
    assert first[0] == "04e980a17a622e2831e83306745c314d"


def test_salts_of_any_length_give_different_hashes() -> None:
    ids = pl.Series(["ann"])
    found = {hash_ids(ids, salt)[0] for salt in ("a salt", "b salt", "x" * 100, "x" * 101)}
    assert len(found) == 4
    assert all(len(digest) == 32 for digest in found)


def test_no_ids_give_no_hashes() -> None:
    assert hash_ids(pl.Series([], dtype=pl.String), "a salt").to_list() == []
    assert hash_ids(pl.Series([None], dtype=pl.String), "a salt").to_list() == [None]


def test_an_empty_salt_is_rejected() -> None:
    with pytest.raises(ValueError, match="The salt is empty"):
        hash_ids(pl.Series(["ann"]), "")
