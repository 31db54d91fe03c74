"""Social security numbers, tax ids, passports and other ids that a state gives to a person.

They are found after a word for them, or by their form and check digits where these leave no doubt.
"""

import re

from turret_pipeline.scrubbing.boundary import NO_DIGITS, WORD_START
from turret_pipeline.scrubbing.normalization import substitute
from turret_pipeline.scrubbing.words import WORDS

_WORDS = f"(?i:{'|'.join(WORDS['national_words'])})|{'|'.join(WORDS['national_capitals'])}"
_EASTERN_WORDS = "|".join(WORDS["national_eastern"])
_LINK = (
    r"(?:[ \t]*(?:(?i:n(?:umber|ummer|umero|úmero|uméro|r|o|º|°)?|numer|номер|card|kart\w{0,3}|id|is|was|ist|lautet"
    r"|es|est|è|é|är|er|on|to|jest|nr|no|num)\b[.]?|号码?|號碼?|番号|번호|は|是|为|는|은"
    r"|[-‐–:=：＝#№°º\"'(]|n°|nº)[ \t]*){0,5}[ \t]*"
)
_NUMBER = r"(?:[A-Z]{1,2}[ -]?)?[0-9](?:[ .\-/]{0,2}[0-9]){5,17}(?:[ \-/]?[0-9A-Z]{1,3})?"
_MIXED = r"(?=[A-Z]*[0-9])(?=(?:[A-Z]*[0-9]){4})[A-Z0-9]{8,18}|[0-9]{2} [0-9]{6} [A-Z] [0-9]{3}"
_AFTER_WORD = re.compile(
    rf"((?:(?<![^\W_])(?:{_WORDS})|{_EASTERN_WORDS}){_LINK})({_MIXED}|{_NUMBER})(?![A-Za-z0-9]|[.,-][0-9])"
)
_FORMED = re.compile(
    r"(?<![\w.-])(?:(?P<ahv>756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2})|(?P<cpf>[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2})"
    r")(?![\w-]|\.[0-9])",
    re.ASCII,
)
_PLAIN, _WIDE = ([word for word in WORDS["national_long"] if word.isascii() is is_plain] for is_plain in (True, False))
_PLAIN_SHORT, _WIDE_SHORT = (
    [word for word in WORDS["national_short"] if word.isascii() is is_plain] for is_plain in (True, False)
)
NATIONAL_ID_HINT = rf"(?i-u:{'|'.join(_PLAIN)})|{WORD_START}(?i-u:{'|'.join(_PLAIN_SHORT)})[^0-9A-Za-z]"
WIDE_NATIONAL_ID_HINT = f"(?:{'|'.join([*_WIDE, *_WIDE_SHORT])}|{_EASTERN_WORDS}){NO_DIGITS}[0-9]"
"""Hints with words in ASCII, and with other words."""
FORM_HINTS = (r"756\.[0-9]{4}\.[0-9]{4}\.", r"\.[0-9]{3}\.[0-9]{3}-[0-9]{2}")


def scrub_national_ids(text: str) -> str:
    """The text with <NATIONAL_ID> for ids of persons after a word for them, or with right check digits."""
    return substitute(_AFTER_WORD, r"\1<NATIONAL_ID>", substitute(_FORMED, _mark_formed, text))


def _mark_formed(match: re.Match[str]) -> str:
    digits = [int(char) for char in match[0] if char.isdigit()]
    kind = match.lastgroup
    if kind == "ahv":
        is_valid = (sum(digits[0:12:2]) + 3 * sum(digits[1:12:2]) + digits[12]) % 10 == 0
    else:
        is_valid = all(_cpf_digit(digits[:count]) == digits[count] for count in (9, 10))
    return "<NATIONAL_ID>" if is_valid else match[0]


def _cpf_digit(digits: list[int]) -> int:
    """Check digit of a Brazilian CPF after its first 9 or 10 digits."""
    total = sum(digit * (len(digits) + 1 - place) for place, digit in enumerate(digits))
    return (11 - total % 11) % 11 % 10 if total % 11 >= 2 else 0
