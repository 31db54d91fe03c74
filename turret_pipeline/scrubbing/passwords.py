"""Passwords, codes and secrets after a word that announces them, in the languages of words.toml."""

import re

from turret_pipeline.scrubbing.boundary import NO_SIGNS, NO_SIGNS_OR_SPACES, SIGN
from turret_pipeline.scrubbing.normalization import mark_rest, substitute, substitute_after
from turret_pipeline.scrubbing.words import WORDS

_LAST_WITH_SPACES = "\u0530"
"""The first character after the scripts whose words stand between spaces, without attached articles."""


def _spell(words: list[str]) -> str:
    """A pattern of the words, longest first."""
    return "|".join(map(_spell_word, sorted(words, key=len, reverse=True)))


def _spell_word(word: str) -> str:
    start = r"(?<![^\W_])" if word < _LAST_WITH_SPACES else ""
    end = r"(?![^\W_])" if _is_short(word) else ""
    return start + re.escape(word).replace(r"\.", "[ _-]?") + end


def _is_short(word: str) -> bool:
    """True for words that occur within others, so that they have no endings."""
    return word.isascii() and "." not in word and len(word) < 7


def _list_starts(words: list[str]) -> tuple[str, ...]:
    """Starts of the words, in lower case."""
    return tuple(sorted({word.split(".")[0].lower() for word in words}))


def _either_case(char: str) -> str:
    """A pattern of a character in each case, which Rust finds faster than one that ignores case."""
    cases = dict.fromkeys([char, char.upper(), char.lower()])
    return f"[{''.join(cases)}]" if all(len(case) == 1 for case in cases) and len(cases) > 1 else re.escape(char)


_ENDING = r"[^\W\d_]{0,7}"
_FEW_WORDS = r"(?:[ ]+(?:[^\W\d]|['’]){1,12})"
_POINTS = r"[\"']?[ ]{0,3}[:=：＝]{1,2}>?[ ]{0,3}"
_SAID = (
    rf"(?:{_POINTS}|{_FEW_WORDS}{{0,4}}?[ ]+(?:{'|'.join(map(re.escape, WORDS['copulas']))})[ ]?:?[ ]+"
    rf"|[ ]?(?:{'|'.join(WORDS['suffixed_copulas'])})[ ]?:?[ ]?|[ ]+[-–—][ ]+)"
)
"""Between the word and the value: signs, a few words and a form of "is", or a dash."""

_NOT_SAID = rf"(?:{_FEW_WORDS}{{1,2}}?{_POINTS}|(?:[ ]+(?:{'|'.join(WORDS['possessives'])}))?[ ]+)"
"""The same, where other words may follow as well: a colon after a few words, or nothing."""

_OPEN = r"[\"'`“„«「『(\[*_]{0,3}"
NOT_A_VALUE = (
    # a mark, code that reads a secret, and what stands in place of one
    r"(?!<|\*{2}|[.•xX…_-]{3}|[$%#]?[{<(\[]|\$[A-Za-z_]|%\w+%|os\.|process\.|env\.|self\.|[\w.]+[(\[]|https?:)"
)
_EASTERN = r"\u3000-\u9fff\uac00-\ud7af\u0900-\u0dff\u0e00-\u0e7f\u0590-\u06ff"
_VALUE = rf"[^\s\"'`“”„«»「」『』()<>\[\]{{}},;，。、；{_EASTERN}]{{4,200}}"

_STANDS_FOR_ONE = (
    r"(?:(?:your|my|the|new|current|enter)[ _-]?)?(?:string|text|password|passwort|passwd|secret|token|hidden|required"
    r"|optional|none|null|true|false|undefined|example|changeme)?[:. ]{0,3}"
)
_PASSWORD = re.compile(
    rf"(?i)((?:{_spell(WORDS['passwords'])}){_ENDING})(?:(?P<said>{_SAID})|{_NOT_SAID})({_OPEN}){NOT_A_VALUE}({_VALUE})"
)
_QUOTED = re.compile(
    r"(?i)((?<![^\W_])(?:password|passwort|passwd|passphrase|pwd)[\"']?[ ]{0,3}[:=][ ]{0,3})([\"'])"
    rf"{NOT_A_VALUE}(?!{_STANDS_FOR_ONE}\2)([^\"'\n]{{4,64}})(?=\2)"
)
_CODE = re.compile(rf"(?i)((?:{_spell(WORDS['codes'])}){_SAID})([0-9](?:[ -]?[0-9]){{3,9}})(?![A-Za-z0-9]|[.:/-][0-9])")
_SECRET = re.compile(
    rf"(?i)((?:{_spell(WORDS['secrets'])})(?![a-z_]){_ENDING}(?:{_SAID}|{_NOT_SAID}){_OPEN}){NOT_A_VALUE}"
    r"(?=[\w./+=~-]{0,200}[0-9])([0-9A-Za-z][\w./+=~-]{15,})"
)
_PASSWORD_STARTS, _CODE_STARTS, _SECRET_STARTS = (
    _list_starts(WORDS[kind]) for kind in ("passwords", "codes", "secrets")
)
_ALL_WORDS = [*WORDS["passwords"], *WORDS["codes"], *WORDS["secrets"]]


def _spell_hint(words: list[str], until_sign: str = NO_SIGNS) -> str:
    spelled = {
        "".join("[ _-]?" if char == "." else _either_case(char) for char in word) + _end_hint(word) for word in words
    }
    return f"(?:{'|'.join(sorted(spelled))}){until_sign}{SIGN}"


def _end_hint(word: str) -> str:
    return r"[^0-9A-Za-z]" if _is_short(word) else ""


_PLAIN_WORDS = [word for word in _ALL_WORDS if word.isascii()]
_MOST_GAPS = 7
"""Stretches of spaces from the word to its value, at most: before four other words, "is", a colon and the value."""
PASSWORD_HINT = _spell_hint(_PLAIN_WORDS)
CLOSE_PASSWORD_HINT = _spell_hint(_PLAIN_WORDS, rf"{NO_SIGNS_OR_SPACES}(?: +{NO_SIGNS_OR_SPACES}){{0,{_MOST_GAPS}}}")
WIDE_PASSWORD_HINT = _spell_hint([word for word in _ALL_WORDS if not word.isascii()])
"""Hints with words in ASCII, the same with a sign near the word, and with other words."""

_SIGNS = frozenset("0123456789!#$%&*@^+=~?")
_NO_PASSWORD = re.compile(
    # names of methods and products, versions, dates, ordinals, counts with a unit, and e-mail addresses
    r"(?i)(?:sha|md|aes|rsa|utf|base|win(?:dows)?|ios|ipv?|http|oauth|bcrypt|argon|scrypt|pbkdf|iphone|android|v)-?[0-9][\w.-]*"
    r"|[0-9]{1,5}[-–]?[a-zäöü%]+|[0-9]{1,4}([./:-])[0-9]{1,2}(?:\1[0-9]{1,4})?(?:[t:][0-9:.z+]*)?|[0-9]+(?:\.[0-9]+)+"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+|[0-9]{1,5}"
)
_WEAK = re.compile(r"[^\W\d_]+[0-9]{0,2}|[a-z]+(?:[-_][a-z0-9]+)+|[0-9./:-]+", re.IGNORECASE)
"""A word that may have two digits, such as a product, or words with dashes: no password without "is" or a colon."""
RANDOM_RUN = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[0-9A-Za-z]{10,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def scrub_passwords(text: str) -> str:
    """The text with <KEY> for each password, code and random secret after a word for it."""
    if '"' in text or "'" in text:
        text = substitute(_QUOTED, lambda match: match[1] + match[2] + "<KEY>", text)
    text = substitute_after(_PASSWORD_STARTS, _PASSWORD, _mark_password, text)
    text = substitute_after(_CODE_STARTS, _CODE, mark_rest, text)
    return substitute_after(_SECRET_STARTS, _SECRET, _mark_secret, text)


def _mark_password(match: re.Match[str]) -> str:
    value: str = match[4]
    core = value.rstrip(".!?:…*_")
    if not _is_password(core, is_said=match["said"] is not None):
        return match[0]
    return match[0].removesuffix(value) + "<KEY>" + value[len(core) :]


def _is_password(value: str, *, is_said: bool) -> bool:
    """True if a value has a digit or a sign, and is nothing else that has one."""
    if len(value) < 4 or _SIGNS.isdisjoint(value) or _NO_PASSWORD.fullmatch(value):
        return False
    return is_said or (len(value) >= 6 and not _WEAK.fullmatch(value))


def _mark_secret(match: re.Match[str]) -> str:
    """The match with <KEY>, if the value is random: its digits and letters are mixed."""
    is_random = RANDOM_RUN.search(match[2]) or _UUID.fullmatch(match[2])
    return match[1] + "<KEY>" if is_random else match[0]
