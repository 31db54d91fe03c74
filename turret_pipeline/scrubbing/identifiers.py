"""Hashing of user ids."""

import functools
import hashlib

import polars as pl


def hash_ids(ids: pl.Series, salt: str) -> pl.Series:
    """Each id as 32 hexadecimal digits of BLAKE2b keyed with the salt; null stays null.

    The same id and salt always give the same hash. Anyone who knows the salt can check whether a known id is among
    the hashes, so keep it like a password. Do not lose it: with another salt, all users count as new. Raises ValueError
    if the salt is empty.
    """
    if not salt:
        raise ValueError("The salt is empty, so anyone could find ids by hashing guesses: set a salt.")
    distinct = ids.drop_nulls().unique()
    digests = [hash_id(value, salt) for value in distinct]
    return ids.replace_strict(distinct, pl.Series(digests, dtype=pl.String), default=None, return_dtype=pl.String)


def hash_id(value: str, salt: str) -> str:
    """One id as ``hash_ids`` hashes it."""
    return hashlib.blake2b(value.encode(), key=_derive_key(salt), digest_size=16).hexdigest()


@functools.cache
def _derive_key(salt: str) -> bytes:
    return hashlib.blake2b(salt.encode()).digest()
