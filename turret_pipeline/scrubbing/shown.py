"""Texts that are shown to an LLM: what is scrubbed before storage, and anything else that names one thing or person.

Where a run of digits may be a number of a person or an order, it is hidden; dates, years, versions and short numbers
stay.
"""

import re

from turret_pipeline.scrubbing.numbers import passes_luhn
from turret_pipeline.scrubbing.phones import GAP
from turret_pipeline.scrubbing.precise import KINDS, scrub_text

_IDENTIFIER = re.compile(
    r"(?<![\w-])(?:sk|pk|rk|hf|npm|pypi|gh[opsur])[-_](?=[\w-]*\d)[\w-]{10,}"
    r"|(?<=\b[Bb]earer )[\w.~+/=-]{12,}"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    r"|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}\b"
)
_NUMBER = re.compile(
    r"(?P<stays>(?i:\bv(?:ersion|\.)?\s?)\d+(?:\.\d+)+"
    r"|(?<!\d)(?:\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4})(?!\d)(?:[T ]\d\d?:\d\d(?::\d\d)?)?)"
    r"|(?P<address>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d))"
    rf"|(?<!\d)[+(]?\d(?:{GAP}\d){{5,}}"
)
_YEARS = re.compile(r"(?:(?:19|20)\d\d[^\d]*)+")

CARD_DIGITS = range(13, 20)
LONG_NUMBER = 9
"""So many digits name somebody or something; a number with fewer says how much or which year."""


def scrub(text: str) -> str:
    """The text with marks in place of addresses, numbers of persons and accounts, and secrets.

    Marks: those of KINDS, as before storage; <CARD> for any 13 to 19 digits with Luhn's check digit, <KEY> for UUIDs
    and long mixtures of letters and digits too, and <NUMBER> for any other number of LONG_NUMBER digits or more.
    """
    clean, _ = scrub_text(text, KINDS)
    return _NUMBER.sub(_marked_number, _IDENTIFIER.sub("<KEY>", clean))


def _marked_number(match: re.Match[str]) -> str:
    """What a run of digits and the signs between them is; it stays where it is short, a date, years or a version."""
    found = match[0]
    if match["stays"] or _YEARS.fullmatch(found):
        return found
    if match["address"] and all(int(part) < 256 for part in found.split(".")):
        return "<IP>"
    digits = [int(char) for char in found if char.isdigit()]
    if len(digits) in CARD_DIGITS and passes_luhn(digits):
        return "<CARD>"
    return "<NUMBER>" if len(digits) >= LONG_NUMBER else found
