"""Hashing of user ids."""

import functools
import hashlib
from dataclasses import dataclass, field

import polars as pl


def hash_ids(ids: pl.Series, salt: str) -> pl.Series:
    """Each id as 32 hexadecimal digits of BLAKE2b keyed with the salt; null stays null.

    The same id and salt always give the same hash. Anyone who knows the salt can check whether a known id is among
    the hashes, so keep it like a password. Do not lose it: with another salt, all users count as new. Raises ValueError
    if the salt is empty.
    """
    distinct = ids.drop_nulls().unique()
    _derive_key(salt)
    digests = [hash_id(value, salt) for value in distinct]
    return ids.replace_strict(distinct, pl.Series(digests, dtype=pl.String), default=None, return_dtype=pl.String)


def hash_id(name: str, salt: str) -> str:
    """The hash of one id, as in `hash_ids`."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=_derive_key(salt), digest_size=16).hexdigest()


def hash_salt(salt: str) -> str:
    """A hash by which a salt is recognised, but from which nobody can hash ids."""
    return hashlib.blake2b(b"salt of user ids", key=_derive_key(salt), digest_size=16).hexdigest()


@functools.lru_cache(4)
def _derive_key(salt: str) -> bytes:
    if not salt:
        raise ValueError("The salt is empty, so anyone could find ids by hashing guesses: set a salt.")
    return hashlib.blake2b(salt.encode()).digest()


def hash_with_key(value: str, key: bytes, kind: str) -> str:
    """The hash of an erased value of a kind (storage/tombstones.py)."""
    return hashlib.blake2b(
        value.encode("utf-8", "surrogatepass"), key=key, digest_size=16, person=kind.encode()
    ).hexdigest()


@dataclass(frozen=True)
class ErasedIds:
    """Hashes of the ids of erased users, and the key of the hashes."""

    key: bytes = field(repr=False)
    hashes: frozenset[str]

    def hash_ids(self, ids: pl.Series, salt: str) -> pl.Series:
        """The ids as ``hash_ids`` hashes them, but erased ones by the key of the tombstones.

        So an erasure finds them, although it was asked for before user ids were hashed, or with another salt.
        """
        distinct = ids.drop_nulls().unique()
        erased = {value: hashed for value in distinct if (hashed := self._hash(value)) in self.hashes}
        return pl.select(
            pl.when(ids.is_in(list(erased))).then(ids.replace(erased)).otherwise(hash_ids(ids, salt)).alias(ids.name)
        ).to_series()

    def _hash(self, value: str) -> str:
        return hash_with_key(value, self.key, "user")
