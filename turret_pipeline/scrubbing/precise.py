"""One text, precisely: what is replaced by which mark, in an order that leaves each kind its own."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from turret_pipeline.scrubbing.keys import (
    ASSIGNED_HINT,
    KEY_HINT,
    SECRET_FIELD_HINT,
    SECRET_KEY,
    URL_HINT,
    scrub_keys,
)
from turret_pipeline.scrubbing.numbers import CARD_HINT, IBAN_HINT, IP_HINT, scrub_cards, scrub_ibans, scrub_ips
from turret_pipeline.scrubbing.phones import PHONE_FIELD_HINT, PHONE_HINT, PHONE_KEY, scrub_phones

_LETTER = (
    "0-9A-Za-z_\u00c0-\u1fff"  # not those of Chinese, Japanese and Korean: no space stands between them and an address
)
EMAIL = re.compile(
    # "icon@2x.png", "lodash@4.17.21" and "git@host.example:owner/name.git" are none
    rf"(?<![{_LETTER}.+%'-])[{_LETTER}.+%'-]+@(?![0-9]x\.)[{_LETTER}][{_LETTER}-]*(?:\.[{_LETTER}][{_LETTER}-]*)*"
    rf"\.[A-Za-z\u00c0-\u1fff]{{2,}}(?![{_LETTER}])(?:-[{_LETTER}-]*)?(?!:[\w.~-]+/)"
)

SCRUBBERS: Mapping[str, Callable[[str], str]] = {
    "key": scrub_keys,
    "iban": scrub_ibans,
    "ip": scrub_ips,
    "card": scrub_cards,
    "phone": scrub_phones,
    "email": lambda text: EMAIL.sub("<EMAIL>", text),
}
"""In this order: a key may hold an address, and an account number what looks like a phone's."""

KINDS = tuple(sorted(SCRUBBERS))

HINTS: Mapping[str, tuple[str, ...]] = {
    "key": KEY_HINT + URL_HINT + ASSIGNED_HINT,
    "iban": IBAN_HINT,
    "ip": IP_HINT,
    "card": CARD_HINT,
    "phone": PHONE_HINT,
    "email": (r'[^" ]@[^" ]',),
}
FIELD_HINTS: Mapping[str, tuple[str, ...]] = {"key": SECRET_FIELD_HINT, "phone": PHONE_FIELD_HINT}
"""What a field's name says about its value, over the raw text of JSON."""

_IS_PHONE, _IS_SECRET = re.compile(PHONE_KEY), re.compile(SECRET_KEY)
_IS_VERSION = re.compile(r"(?i:version|firmware|build|release)$")
_IS_IDENTIFIER = re.compile(
    r"(?:(?i:^|[_.-])(?i:ids?|ref|sku|isbn|ean|gtin|barcode|serial|tracking|invoice|order)|I[dD])$"
)


@lru_cache(4096)
def context(key: str) -> str:
    """Words that stand for a field's name before its value; they have no hit of their own."""
    if _IS_PHONE.search(key):
        return "phone: "
    if _IS_SECRET.search(key):
        return "password: " if "pass" in key.lower() or "pwd" in key.lower() else "token: "
    if _IS_VERSION.search(key):
        return "version: "
    return "id: " if _IS_IDENTIFIER.search(key) else ""


def scrub_text(text: str, kinds: Collection[str], before: str = "") -> tuple[str, list[str]]:
    """The text with marks for what is of these kinds, and the kinds that were found; `before` is a context."""
    return scrub_hinted(before + text, len(before), kinds, kinds)


def scrub_hinted(
    text: str, before_length: int, kinds: Collection[str], hinted: Collection[str]
) -> tuple[str, list[str]]:
    """As scrub_text, where only the hinted kinds can be in the text: others are looked for once a mark stands in it."""
    found: list[str] = []
    for kind, scrubber in SCRUBBERS.items():
        if kind in kinds and (found or kind in hinted):
            clean = scrubber(text)
            if clean != text:
                found.append(kind)
                text = clean
    return text[before_length:], found
