"""Scrubbing of one text by the precise patterns of all kinds, and the hints for each kind."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from turret_pipeline.scrubbing.keys import (
    ASSIGNED_HINT,
    CLOSE_WORD_HINTS,
    KEY_HINT,
    SECRET_FIELD_HINT,
    SECRET_KEY,
    SHAPE_HINTS,
    URL_HINT,
    scrub_keys,
)
from turret_pipeline.scrubbing.keys import (
    WORD_HINTS as KEY_WORD_HINTS,
)
from turret_pipeline.scrubbing.national_ids import (
    FORM_HINTS,
    NATIONAL_ID_HINT,
    WIDE_NATIONAL_ID_HINT,
    scrub_national_ids,
)
from turret_pipeline.scrubbing.normalization import normalize, restore, substitute
from turret_pipeline.scrubbing.numbers import CARD_HINT, IBAN_HINT, IP_HINT, scrub_cards, scrub_ibans, scrub_ips
from turret_pipeline.scrubbing.passwords import WIDE_PASSWORD_HINT
from turret_pipeline.scrubbing.phones import PHONE_FIELD_HINT, PHONE_HINT, PHONE_KEY, scrub_phones

_LETTER = "0-9A-Za-z_\u00c0-\u1fff"  # without Chinese, Japanese and Korean, which have no space before an address
EMAIL = re.compile(
    # excludes "icon@2x.png", "lodash@4.17.21" and "git@host.example:owner/name.git"
    rf"(?<![{_LETTER}.+%'-])[{_LETTER}.+%'-]+@(?![0-9]x\.)[{_LETTER}][{_LETTER}-]*(?:\.[{_LETTER}][{_LETTER}-]*)*"
    rf"\.[A-Za-z\u00c0-\u1fff]{{2,}}(?![{_LETTER}])(?:-[{_LETTER}-]*)?(?!:[\w.~-]+/)"
    r"|(?<![\w.+-])[\w.+-]+@[\u3040-\u9fff\uac00-\ud7af]+(?:[.。][\u3040-\u9fff\uac00-\ud7af]+)+"
)

SCRUBBERS: Mapping[str, Callable[[str], str]] = {
    "key": scrub_keys,
    "iban": scrub_ibans,
    "ip": scrub_ips,
    "national_id": scrub_national_ids,
    "card": scrub_cards,
    "phone": scrub_phones,
    "email": lambda text: substitute(EMAIL, "<EMAIL>", text),
}
"""Scrubbers by kind, in order: a key may contain an email address, and an IBAN the digits of a phone number."""

KINDS = tuple(sorted(SCRUBBERS))

HINTS: Mapping[str, tuple[str, ...]] = {
    "key": KEY_HINT + URL_HINT + ASSIGNED_HINT,
    "iban": IBAN_HINT,
    "ip": IP_HINT,
    "card": CARD_HINT,
    "phone": PHONE_HINT,
    "email": (r'[^" ]@[^" ]',),
    "national_id": (),
}
"""Hints that are searched for at once, in one pattern: with many more, it would become slow."""

SINGLE_HINTS: Mapping[str, tuple[str, ...]] = {"key": SHAPE_HINTS}
"""Hints that are fast alone."""

WORD_HINTS: Mapping[str, tuple[str, ...]] = {"key": KEY_WORD_HINTS, "national_id": (NATIONAL_ID_HINT, *FORM_HINTS)}
"""Words in any case and short forms, all of which are searched for at once."""

NARROW_HINTS: Mapping[str, tuple[str, ...]] = {**WORD_HINTS, "key": CLOSE_WORD_HINTS}
"""The same for one kind and short texts, which need no precise search as often."""

WIDE_HINTS: Mapping[str, str] = {"key": WIDE_PASSWORD_HINT, "national_id": WIDE_NATIONAL_ID_HINT}
"""Hints for texts that are not ASCII."""

FIELD_HINTS: Mapping[str, tuple[str, ...]] = {"key": SECRET_FIELD_HINT, "phone": PHONE_FIELD_HINT}
"""Hints for fields whose name says what they hold, to apply to the raw text of JSON."""

_IS_PHONE, _IS_SECRET = re.compile(PHONE_KEY), re.compile(SECRET_KEY)
_IS_VERSION = re.compile(r"(?i:version|firmware|build|release)$")
_IS_IDENTIFIER = re.compile(
    r"(?:(?i:^|[_.-])(?i:ids?|ref|sku|isbn|ean|gtin|barcode|serial|tracking|invoice|order)|I[dD])$"
)


@lru_cache(4096)
def field_context(key: str) -> str:
    """Prefix for the value of a field, which tells the patterns what its name says. No pattern matches it alone."""
    if _IS_PHONE.search(key):
        return "phone: "
    if _IS_SECRET.search(key):
        return "password: " if "pass" in key.lower() or "pwd" in key.lower() else "token: "
    if _IS_VERSION.search(key):
        return "version: "
    return "id: " if _IS_IDENTIFIER.search(key) else ""


def scrub_text(text: str, kinds: Collection[str], prefix: str = "") -> tuple[str, list[str]]:
    """The text with marks for these kinds, and the kinds found. ``prefix`` is a `field_context`."""
    return scrub_hinted(prefix + text, len(prefix), kinds, kinds)


def scrub_hinted(
    text: str, prefix_length: int, kinds: Collection[str], hinted: Collection[str]
) -> tuple[str, list[str]]:
    """The text without its prefix and with marks for these kinds, and the kinds found.

    Only the hinted kinds can be in the text at first; the others are searched for as soon as it contains a mark.
    """
    found: list[str] = []
    text = normalize(text, prefix_length)
    for kind, scrubber in SCRUBBERS.items():
        if kind in kinds and (found or kind in hinted):
            clean = scrubber(text)
            if clean != text:
                found.append(kind)
                text = clean
    return restore(text, prefix_length), found
