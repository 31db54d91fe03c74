"""Objects whose keys are values: ids, addresses or dates instead of names of fields."""

import functools
import re
from collections.abc import Iterable

_ID = re.compile(
    r"(?:[\w.]+[-_:])?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"  # UUID
    r"|(?=[a-f]*[0-9])[0-9a-f]{8,}"  # hexadecimal, or a long number
    r"|[0-9A-HJKMNP-TV-Z]{26}"  # ULID
    r"|\+?[0-9]{5,}"
    r"|[a-z]{1,16}[-_][0-9]{4,}"  # user_1234
    r"|(?:[a-z]{1,16}[-_])?(?=[^0-9]*[0-9][^0-9]*[0-9])(?=.*[a-z])[0-9a-z]{12,}"  # msg_01XFDUDYJgAACzvn
    r"|[^@\s]+@[^@\s]+\.[^@\s]+"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,+Z-]*)?",
    re.IGNORECASE | re.ASCII,
)
_CACHED_KEYS = 1 << 16


def are_ids(keys: Iterable[str]) -> bool:
    """True if more than half of the keys look like ids, so that other objects of their kind have other keys."""
    looks = [_is_id(key) for key in keys]
    return 2 * sum(looks) > len(looks)


@functools.lru_cache(_CACHED_KEYS)  # the same few names are the keys of most objects
def _is_id(key: str) -> bool:
    return _ID.fullmatch(key) is not None
