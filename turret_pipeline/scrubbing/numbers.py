"""Payment cards, IBANs and IP addresses, all of which can be checked."""

import ipaddress
import re
from itertools import groupby

from turret_pipeline.scrubbing.boundary import ADDRESS_START, WORD_START
from turret_pipeline.scrubbing.normalization import substitute

CARD = re.compile(
    r"(?<![\w.])(?:[2-6][0-9]{3}([ ._-]{1,2})[0-9]{4}\1[0-9]{4}\1[0-9]{2,4}(?:\1[0-9]{1,3})?"
    r"|3[0-9]{3}([ ._-]{1,2})[0-9]{6}\2[0-9]{4,5}|[2-6][0-9]{13,18})(?!\w|\.[0-9])",
    re.ASCII,  # Chinese and Japanese have no space between words and numbers
)
CARD_HINT = (
    WORD_START + "[2-6][0-9]{3}[ ._-]{1,2}[0-9]{4}[ ._-]{1,2}[0-9]{4}[ ._-]{1,2}[0-9]{2}",
    WORD_START + "3[0-9]{3}[ ._-]{1,2}[0-9]{6}[ ._-]{1,2}[0-9]{4}",
    WORD_START + "[2-6][0-9]{13}",
)

IBAN_LENGTHS = {
    country[:2]: int(country[2:])
    for country in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
        "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
        "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
        "YE30"
    ).split()
}
"""Length of an IBAN in characters, by country (registry of ISO 13616)."""


def _any_case(words: list[str]) -> str:
    return "|".join("".join(f"[{char}{char.lower()}]" for char in word) for word in words)


_BY_LENGTH = [
    (length, [country for country, _ in pairs])
    for length, pairs in groupby(sorted(IBAN_LENGTHS.items(), key=lambda pair: pair[1]), key=lambda pair: pair[1])
]
IBAN = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(
        rf"(?:{_any_case(names)})[0-9]{{2}}(?:[ .\u00a0_-]?[0-9A-Za-z]){{{length - 4}}}" for length, names in _BY_LENGTH
    )
    + r")(?!\w|-\w)",
    re.ASCII,
)
_LEADING_DIGITS = {"AE": 19, "BA": 16, "BE": 12, "DE": 18, "EE": 16, "AD": 8}
"""Number of digits after the check digits, for countries whose codes are hexadecimal digits.

Without it, parts of UUIDs and hashes would be found as IBANs.
"""
IBAN_HINT = (
    WORD_START + rf"(?:{_any_case(sorted(_LEADING_DIGITS))})[0-9]{{2}}(?:[ .\u00a0_-]?[0-9]){{8}}",
    WORD_START
    + rf"(?:{_any_case(sorted(set(IBAN_LENGTHS) - set(_LEADING_DIGITS)))})[0-9]{{2}}(?:[ .\u00a0_-]?[0-9A-Za-z]){{11}}",
)

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
V4 = re.compile(rf"(?:(?<![\w./])|(?<=//))(?<![A-Za-z]-){_V4}(?!\w|\.[0-9]|-[A-Za-z])", re.ASCII)
V6 = re.compile(
    rf"(?<![\w:])(?=:*[0-9A-Fa-f])(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:{_V4}|[0-9A-Fa-f]{{0,4}})(?:%\w{{1,16}})?(?![\w:]|\.[0-9])",
    re.ASCII,
)
IP_HINT = (
    ADDRESS_START + r"(?:[0-9]{1,3}\.){3}[0-9]",
    r"::",
    r"(?:[0-9A-Fa-f]{1,4}:){7}",
)
_VERSION = re.compile(
    r"(?i)(?:\bv|\bver|versions?|firmware|release|build|update|upgraded?(?: to)?|sdk|section|chapter|§|step|rev)"
    r"[.\s:=\"'(]{0,4}\Z"
)


def scrub_cards(text: str) -> str:
    """The text with <CARD> for numbers that a card network issues and that have the right check digit (Luhn)."""
    return substitute(CARD, _mark_card, text)


def _mark_card(match: re.Match[str]) -> str:
    found = match[0]
    if _is_card(found):
        return "<CARD>"
    number, gap, rest = found.rpartition(match[1]) if match[1] else (found, "", "")
    return (
        "<CARD>" + gap + rest if gap and _is_card(number) else found
    )  # the rest is a security code, not a fifth group


def _is_card(found: str) -> bool:
    digits = re.sub("[ ._-]", "", found)
    length, start = len(digits), int(digits[:4])
    if length == 14:
        is_issued = digits[:2] in {"30", "36", "38", "39"}
    elif length == 15:
        is_issued = digits[:2] in {"34", "37"}
    else:
        is_visa = digits[0] == "4" and length in {16, 19}
        is_mastercard = "51" <= digits[:2] <= "55" and length == 16
        is_other = digits[0] == "6" or digits[:2] in {"50", "56", "57", "58"}
        is_issued = is_visa or is_mastercard or is_other or 2221 <= start <= 2720 or 3528 <= start <= 3589
    return is_issued and passes_luhn([int(digit) for digit in digits])


def passes_luhn(digits: list[int]) -> bool:
    """True if the last digit is the check digit of the others (ISO/IEC 7812)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def scrub_ibans(text: str) -> str:
    """The text with <IBAN> for account numbers with the length of their country and right check digits (mod 97)."""
    return substitute(IBAN, lambda match: "<IBAN>" if _is_iban(match[0]) else match[0], text)


def _is_iban(found: str) -> bool:
    number = re.sub("[ .\u00a0_-]", "", found)
    if not number[2 : 4 + _LEADING_DIGITS.get(number[:2].upper(), 0)].isdigit():
        return False
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1


def scrub_ips(text: str) -> str:
    """The text with <IP> for IPv4 and IPv6 addresses; software versions ("v1.2.3.4", "App/1.2.3.4") stay."""
    return substitute(V4, _mark_v4, substitute(V6, _mark_v6, text))


def _mark_v6(match: re.Match[str]) -> str:
    found = match[0]
    if not any(char.isdigit() for char in found):  # a name in source code, such as A::B
        return found
    try:
        ipaddress.IPv6Address(found)
    except ValueError:
        return found
    return "<IP>"


def _mark_v4(match: re.Match[str]) -> str:
    found, after = match[0], match.string[match.end() : match.end() + 1]
    is_version = found.endswith(".0.0.0") and after != "/"
    return found if is_version or _VERSION.search(match.string[max(match.start() - 24, 0) : match.start()]) else "<IP>"
