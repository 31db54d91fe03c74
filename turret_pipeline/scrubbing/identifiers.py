"""Ids of users that tell one from another, and nobody who they are."""

import hashlib

import polars as pl


def hashed(ids: pl.Series, salt: str) -> pl.Series:
    """Each id as 32 hexadecimal digits of BLAKE2b keyed with the salt: the same id and salt give the same, null stays.

    Who knows the salt can tell whether an id that they have is among them: keep it as a password, and keep it, or
    users are new ones from then on.
    """
    if not salt:
        raise ValueError("The salt is empty: anybody could hash a list of ids and find each of them. Give one.")
    key = hashlib.blake2b(salt.encode()).digest()
    distinct = ids.drop_nulls().unique()
    digests = [hashlib.blake2b(value.encode(), key=key, digest_size=16).hexdigest() for value in distinct]
    return ids.replace_strict(distinct, pl.Series(digests, dtype=pl.String), default=None, return_dtype=pl.String)
