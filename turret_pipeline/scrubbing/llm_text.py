"""Scrubbing of texts that are sent to an LLM, which is stricter than scrubbing before storage.

It also replaces ids of things and long numbers, which may identify a person or an order. Dates, years, versions and
short numbers stay.
"""

import re

from turret_pipeline.scrubbing.numbers import passes_luhn
from turret_pipeline.scrubbing.phones import GAP
from turret_pipeline.scrubbing.single_text import KINDS, scrub_text

_IDENTIFIER = re.compile(
    r"(?<![\w-])(?:sk|pk|rk|hf|npm|pypi|gh[opsur])[-_](?=[\w-]*\d)[\w-]{10,}"
    r"|(?<=\b[Bb]earer )[\w.~+/=-]{12,}"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    r"|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}\b"
)
_NUMBER = re.compile(
    r"(?P<kept>(?i:\bv(?:ersion|\.)?\s?)\d+(?:\.\d+)+"
    r"|(?<!\d)(?:\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4})(?!\d)(?:[T ]\d\d?:\d\d(?::\d\d)?)?)"
    r"|(?P<address>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d))"
    rf"|(?<!\d)[+(]?\d(?:{GAP}\d){{5,}}"
)
_YEARS = re.compile(r"(?:(?:19|20)\d\d[^\d]*)+")

CARD_DIGITS = range(13, 20)
LONG_NUMBER = 9
"""Digits from which a number is likely to be an id; shorter ones are mostly amounts and years."""


def scrub_for_llm(text: str) -> str:
    """The text with marks for personal data, secrets and ids.

    Marks are those of KINDS, and in addition <CARD> for any 13 to 19 digits with Luhn's check digit, <KEY> for UUIDs
    and long mixtures of letters and digits, and <NUMBER> for any other number of LONG_NUMBER digits or more.
    """
    clean, _ = scrub_text(text, KINDS)
    return _NUMBER.sub(_mark_number, _IDENTIFIER.sub("<KEY>", clean))


def _mark_number(match: re.Match[str]) -> str:
    """Mark for a run of digits, or the run itself if it is short, a date, a list of years or a version."""
    found = match[0]
    if match["kept"] or _YEARS.fullmatch(found):
        return found
    if match["address"] and all(int(part) < 256 for part in found.split(".")):
        return "<IP>"
    digits = [int(char) for char in found if char.isdigit()]
    if len(digits) in CARD_DIGITS and passes_luhn(digits):
        return "<CARD>"
    return "<NUMBER>" if len(digits) >= LONG_NUMBER else found
