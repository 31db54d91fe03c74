"""Texts without what identifies a person or opens a door: typed marks such as <EMAIL> stand in its place.

Patterns and check digits only: no model, no network. Where a run of digits may be a number of a person or an order, it
is hidden; dates, years, versions and short numbers stay. Not caught: names, street addresses, addresses spelled out
("jo at example dot com"), passwords in a sentence ("my password is ...").
"""

import ipaddress
import re

_URL_LOGIN = re.compile(r"(?<=://)[^\s/@]+@")
_URL_SECRET = re.compile(
    r"(?i)([?&#;](?:[\w.-]{0,40}[_.-])?(?:(?:api|access|secret)?key|\w{0,20}token|\w{0,20}secret|sig(?:nature)?|pass(?:word|wd)?|pwd"
    r"|auth|session(?:id)?|sid|code|credentials?)=)[^&#\s]+"
)
_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+@\w[\w-]*(?:\.\w[\w-]*)+")
_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens
    r"|\b(?:sk|pk|rk)[-_][\w-]{16,}"
    r"|\b(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|hf_|npm_|pypi-|shpat_)[\w-]{10,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{30,}"
    r"|(?<=\b[Bb]earer )[\w.~+/=-]{12,}"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    r"|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}\b",
    re.DOTALL,
)
_ASSIGNED = re.compile(
    # what stands before may be part of the name: DB_PASSWORD, client_secret, AccountKey
    r"(?i)((?:(?<![^\W_])(?:pass|pwd)|pass(?:word|wd|phrase)|secret|token"
    r"|(?:api|access|account|secret|private|shared|storage|signing|encryption|master)[ _-]?key)[\"']?\s{0,3}[:=]\s*)"
    r"(?!<KEY>)(?=[^\s,;]{0,60}[\d!#$%&*@^_])[^\s,;]{6,}"
)
_IBAN = re.compile(r"(?i)\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b")
_IPV6 = re.compile(r"(?<![\w:])(?=:*[0-9A-Fa-f])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")

_GAP = r"[ \u00a0().\-\u2010-\u2013/]{0,3}"
_NUMBER = re.compile(
    r"(?P<stays>(?i:\bv(?:ersion|\.)?\s?)\d+(?:\.\d+)+"
    r"|(?<!\d)(?:\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4})(?!\d)(?:[T ]\d\d?:\d\d(?::\d\d)?)?)"
    r"|(?P<address>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d))"
    rf"|(?<!\d)[+(]?\d(?:{_GAP}\d){{5,}}"
)
_NORTH_AMERICAN = re.compile(r"\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4}")
_YEARS = re.compile(r"(?:(?:19|20)\d\d[^\d]*)+")
_PHONE_WORD = re.compile(
    r"(?i)\b(?:phone|tel|telephone|mobile|cell|call(?: me)?|whatsapp|fax|sms)\b[^\d]{0,18}$|\u260e[^\d]*$"
)

PHONE_DIGITS, CARD_DIGITS = range(7, 16), range(13, 20)
LONG_NUMBER = 9
"""So many digits name somebody or something; a number with fewer says how much or which year."""


def scrub(text: str) -> str:
    """The text with marks in place of addresses, numbers of persons and accounts, and secrets.

    Marks: <EMAIL>, <PHONE>, <CARD> (13 to 19 digits with Luhn's check digit), <IBAN> (ISO 13616, mod 97), <IP>, <KEY>
    (passwords, tokens, keys) and <NUMBER> (any other number of LONG_NUMBER digits or more).
    """
    text = _URL_LOGIN.sub("<KEY>@", text)
    text = _URL_SECRET.sub(r"\1<KEY>", text)
    text = _IBAN.sub(_marked_iban, text)
    text = _KEY.sub("<KEY>", text)
    text = _ASSIGNED.sub(r"\1<KEY>", text)
    text = _EMAIL.sub("<EMAIL>", text)
    text = _IPV6.sub(_marked_address, text)
    return _NUMBER.sub(_marked_number, text)


def _marked_iban(match: re.Match[str]) -> str:
    """The mark, and after it the words that the pattern took for groups of the number."""
    words = re.split(r"(?<=[ -])", match[0])
    for end in range(len(words), 0, -1):
        if _is_iban(re.sub("[ -]", "", "".join(words[:end]))):
            return "<IBAN>" + (" " if end < len(words) else "") + "".join(words[end:])
    return match[0]


def _is_iban(number: str) -> bool:
    rotated = number[4:] + number[:4]
    return 15 <= len(number) <= 34 and int("".join(str(int(char, 36)) for char in rotated)) % 97 == 1


def _marked_address(match: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(match[0])
    except ValueError:
        return match[0]
    return "<IP>"


def _marked_number(match: re.Match[str]) -> str:
    """What a run of digits and the signs between them is; it stays where it is short, a date, years or a version."""
    found = match[0]
    if match["stays"] or _YEARS.fullmatch(found):
        return found
    if match["address"] and all(int(part) < 256 for part in found.split(".")):
        return "<IP>"
    digits = [int(char) for char in found if char.isdigit()]
    if len(digits) in CARD_DIGITS and _passes_luhn(digits):
        return "<CARD>"
    if len(digits) in PHONE_DIGITS and _is_phone(
        found, len(digits), match.string[max(match.start() - 40, 0) : match.start()]
    ):
        return "<PHONE>"
    return "<NUMBER>" if len(digits) >= LONG_NUMBER else found


def _is_phone(found: str, digit_count: int, before: str) -> bool:
    is_national = re.match(r"\(?0(?!\.)", found) is not None and digit_count >= LONG_NUMBER
    is_named = _PHONE_WORD.search(before) is not None
    return found[0] == "+" or is_national or is_named or _NORTH_AMERICAN.fullmatch(found) is not None


def _passes_luhn(digits: list[int]) -> bool:
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
