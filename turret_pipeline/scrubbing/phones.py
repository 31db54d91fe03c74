"""Phone numbers, recognised by a country code, by the grouping of their digits, or by the word before them."""

import re

from turret_pipeline.scrubbing.boundary import COLON, IN_STRING, NO_DIGITS, NUMBER_START
from turret_pipeline.scrubbing.normalization import substitute

GAP = "[ \u00a0().\\-\u2010-\u2013/]{0,3}"
_DIGITS = f"(?:{GAP}[0-9])"

INTERNATIONAL = rf"\+\(?(?:1{GAP}[2-9]{_DIGITS}{{9}}|[2-9]{_DIGITS}{{7,13}})"
TRUNK = rf"\(?0(?:[0-9]|[ ()\-\u2010-\u2013/]{GAP}[0-9]){_DIGITS}{{7,13}}"
GROUPED = (
    r"(?:1[ .-])?(?:\([2-9][0-9]{2}\)[ .-]{0,2}|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}",  # North America
    r"\([1-9][0-9]{1,3}\) ?[0-9]{3,5}[ -][0-9]{3,5}",  # Brazil, Mexico
    r"[1-9][0-9] 9[0-9]{4}-[0-9]{4}",
    r"[78][ -]?\(?[0-9]{3}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}",  # Russia
    r"[6-9][0-9]{4}[ -][0-9]{5}",  # India
    r"1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4}",  # China
    r"[67][0-9]{2}(?: [0-9]{2}){3}",  # Spain
    r"1[38]00[ -][0-9]{3}[ -][0-9]{3}",  # Australia
)
_ANY_GROUPING = rf"\(?[0-9]{_DIGITS}{{6,12}}"

NOUN = (
    "(?:(?:tele)?phone|mobile?|telef(?:on|one)|tel[eéÉ]fono|t[eéÉ]l[eéÉ]phone|handy|cell|celular|m[oóÓ]vil|whatsapp|viber|fax"
    "|sms|hotline|msisdn|t[eéÉ]l|电话|手机|電話|телефон|전화|☎)"
)
_VERB = (
    "(?:(?:call|ring|dial|reach|text|contact|message) (?:me|us|him|her|them|back)(?: (?:back|at|on|under|now|via))*"
    "|(?:call|dial|ring)|(?:my|his|her|our|their|your) number(?: is)?)"
)

NOT_PHONE = (
    # dates with or without a time, years, times, versions, numbers with a fraction, UUIDs
    r"(?<![0-9])(?:[0-9]{4}(?P<a>[-/.])[0-9]{1,2}(?P=a)[0-9]{1,2}|[0-9]{1,2}(?P<b>[-/.])[0-9]{1,2}(?P=b)(?:[0-9]{4}|[0-9]{2}))(?![0-9])"
    r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?"
    r"|(?<![0-9])[0-3][0-9]{3}(?:19|20)[0-9]{2}(?![0-9])"
    r"|(?<!\w)(?:19|20)[0-9]{2}(?:[ /-]{1,3}(?:19|20)[0-9]{2})+(?![0-9])"
    r"|(?<![0-9])[0-9]{1,2}:[0-9]{2}(?![0-9])(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"|\b[vV](?:ersion)?[ .]?[0-9]+(?:\.[0-9]+)+"
    r"|(?<![0-9])[+(]?[0-9]+\.[0-9]+(?![0-9])(?![ .()/-]{1,3}[0-9])"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
)
_FORMATTED = re.compile(
    rf"(?P<not_phone>{NOT_PHONE})|(?<![\w+])(?P<international>{INTERNATIONAL})(?![0-9])"
    rf"|(?<![\w.,:/+-])(?<![0-9][ -])(?:(?P<trunk>{TRUNK})|(?P<grouped>{'|'.join(GROUPED)}))(?!\w)(?![.:-][0-9]|@)",
    re.ASCII,  # Chinese and Japanese have no space between words and numbers
)
_AFTER_PHONE_WORD = re.compile(
    rf"(?i)((?<![^\W_])(?!telegr){NOUN}[^0-9\n]{{0,30}}?|(?<![^\W_]){_VERB}[^0-9A-Za-z]{{0,3}}?)(?<![0-9.,])({_ANY_GROUPING})(?!\w)(?!\.[0-9])"
    rf"((?: ?(?:[,;/]|or|and|oder|und|ou|et|o|y|e) ?{_ANY_GROUPING}(?!\w))*)",
    re.ASCII,
)
_IS_DATE = re.compile(rf"(?:{NOT_PHONE})[ /.-]*[0-9]{{0,2}}|(?:19|20)[0-9]{{2}}[01][0-9][0-3][0-9]")
_AFTER_ID_WORD = re.compile(
    r"(?i)(?:\b(?:order|invoice|bill|ticket|ref|reference|tracking|case|account|acct|sku|serial|part|isbn|issn|id|ids|no|nr"
    r"|customer|contract|model|item|article|product|code|pin|transaction|policy|booking|shipment|parcel|ean|upc|gtin"
    r"|barcode|vin|order number|license|licence|patent|steuernummer|bestellung|rechnung|commande|pedido)\b|#)"
    r"[\s:=#.]*(?:(?:number|no|nr|id|is|was|code)\b[\s:=#.]*){0,3}[(\"']?\Z"
)
_DECIMALS = re.compile(r"(?<![0-9])[0-9]\.[0-9]+ ")  # several decimal numbers
_NUMBER_WORD = re.compile(r"(?i)\b(?:no|nr|number)\b[.:\s]*\Z")

PHONE_KEY = "(?i:phone|mobile|msisdn|telef|handy|whatsapp|fax|^tel$|^cell$)"
"""Names of fields that hold phone numbers."""

PHONE_HINT = (
    r"\+\(?[1-9]" + _DIGITS + "{7}",
    NUMBER_START + r"\(?0(?:[0-9]|[ ()\-\u2010-\u2013/])" + GAP + r"[0-9](?:" + GAP + "[0-9]){6}",
    *(NUMBER_START + shape for shape in GROUPED),
    f"(?i:{NOUN}|{_VERB}){NO_DIGITS}[0-9]" + _DIGITS + "{6}",
)
PHONE_FIELD_HINT = (
    f'(?i:phone|mobile|msisdn|telef|handy|whatsapp|fax){IN_STRING}{COLON}(?:\\[|"{NO_DIGITS}[0-9]{_DIGITS}{{6}})',
    f'(?i:tel|cell){COLON}(?:\\[|"{NO_DIGITS}[0-9]{_DIGITS}{{6}})',
)


def scrub_phones(text: str) -> str:
    """The text with <PHONE> for numbers with a country code, in a national grouping, or after a word such as "call"."""
    return substitute(_AFTER_PHONE_WORD, _mark_after_word, substitute(_FORMATTED, _mark_formatted, text))


def _mark_formatted(match: re.Match[str]) -> str:
    found = match[0]
    if match["not_phone"]:
        return found
    if match["international"]:
        return found if re.fullmatch(r"\+[0-9]*0{5}", found) else "<PHONE>"
    digits = re.sub("[^0-9]", "", found)
    if len(set(digits)) < 3 or (match["trunk"] and not _is_national(found, digits, match)):
        return found
    before = match.string[max(match.start() - 40, 0) : match.start()]
    return found if _AFTER_ID_WORD.search(before) else "<PHONE>"


def _is_national(found: str, digits: str, match: re.Match[str]) -> bool:
    """True if a number that starts with 0 has the length of a phone number and is grouped, or part of a sentence."""
    if digits.startswith("000") or not 9 <= len(digits) <= (15 if digits.startswith("00") else 12):
        return False
    if found.isdigit():
        return len(digits) >= 10 and any(char.isalpha() for char in match.string) and match.string.strip() != found
    return all(len(group) > 1 for group in re.split("[^0-9]+", found)[1:] if group)


def _mark_after_word(match: re.Match[str]) -> str:
    words, found = match[1], match[2]
    if (
        _AFTER_ID_WORD.search(_NUMBER_WORD.sub("", words))
        or _IS_DATE.fullmatch(found)
        or _DECIMALS.search(found)
        or len(set(found)) < 4
    ):
        return match[0]
    return words + "<PHONE>" + re.sub(_ANY_GROUPING, "<PHONE>", match[3])
