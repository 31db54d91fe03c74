"""Passwords, stored as scrypt hashes, which make guessing slow.

scrypt is in the standard library; argon2 would add a compiled package for the few hashes of a dashboard.
"""

import base64
import hashlib
import hmac
import secrets
import unicodedata

from turret_pipeline.errors import TurretError

MIN_LENGTH = 15
"""Characters that NIST SP 800-63B-4 asks of a password that is the only factor."""

MAX_LENGTH = 1000
_COST, _BLOCK_SIZE, _PARALLEL = 2**15, 8, 3
"""OWASP's Password Storage Cheat Sheet; 32 MiB of memory for one password."""

_MEMORY = 256 * _COST * _BLOCK_SIZE


def hash_password(password: str) -> str:
    """Salt and hash of a password. Raises TurretError if it is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise TurretError(
            f"The password has {len(password)} characters: use {MIN_LENGTH} to {MAX_LENGTH:,}, such as a sentence that "
            "only you would write."
        )
    salt = secrets.token_bytes(16)
    return f"scrypt:{_COST}:{_BLOCK_SIZE}:{_PARALLEL}:{_encode(salt)}:{_encode(_derive(password, salt))}"


def verify_password(password: str, stored: str | None) -> bool:
    """True if the stored hash is of the password. Without a hash it takes the same time, and is False."""
    text = stored or f"scrypt:{_COST}:{_BLOCK_SIZE}:{_PARALLEL}:{_encode(bytes(16))}:{_encode(bytes(32))}"
    _, cost, block_size, parallel, salt, digest = text.split(":")
    derived = _derive(password[:MAX_LENGTH], base64.b64decode(salt), int(cost), int(block_size), int(parallel))
    return hmac.compare_digest(derived, base64.b64decode(digest)) and stored is not None


def _derive(
    password: str, salt: bytes, cost: int = _COST, block_size: int = _BLOCK_SIZE, parallel: int = _PARALLEL
) -> bytes:
    """The hash of a password, however the letters of it are composed."""
    secret = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block_size, p=parallel, maxmem=_MEMORY, dklen=32)


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()
