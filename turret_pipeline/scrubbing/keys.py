"""Keys, tokens and passwords, recognised by their form or by the words before them."""

import re

from turret_pipeline.scrubbing.boundary import COLON
from turret_pipeline.scrubbing.commands import COMMAND_KEYWORDS, scrub_commands
from turret_pipeline.scrubbing.known_keys import read_rules, scrub_known_keys
from turret_pipeline.scrubbing.normalization import mark_rest, substitute
from turret_pipeline.scrubbing.passwords import CLOSE_PASSWORD_HINT, PASSWORD_HINT, RANDOM_RUN, scrub_passwords
from turret_pipeline.scrubbing.words import WORDS

_PREFIXES = WORDS["prefixes"]

KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens
    # OpenAI, Stripe, Groq
    r"|(?<![\w-])[sprg]s?k[-_](?=[A-Za-z_-]*[0-9])(?:[A-Za-z0-9]{1,12}[-_]){0,6}[A-Za-z0-9]{12,}[\w-]*"
    r"|(?<![\w-])(?:gh[opsur]|hf|npm|r8|lin_api|nvapi|dop_v1)[-_][A-Za-z0-9_-]*[A-Za-z0-9]{16,}[\w-]*"
    r"|\bgithub_pat_\w{20,}"
    r"|(?<![\w-])(?:glpat-|pypi-|xai-|pplx-|whsec_|shp(?:at|ca|pa|ss)_|sntrys_)(?=[\w-]*[0-9])[\w-]{16,}"
    r"|(?<![\w-])xox[abeprs](?:\.xox[bp])?-[\w-]{10,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{30,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\bya29\.[\w-]{16,}"
    r"|(?:(?<=\b[Bb]earer )|(?<=\bBEARER ))(?=[^ ]*[0-9])[\w.~+/=-]{12,}"
    r"|(?<=[Aa]uthorization: Basic )[\w+/=-]{8,}"
    r"|(?<=hooks\.slack\.com/services/)[\w/]{20,}"
    r"|(?<![\w])[0-9]{8,10}:AA[\w-]{33}(?![\w-])"  # Telegram
    r"|(?<![\w./-])[MNO][\w-]{22,30}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])"  # Discord
    r"|(?<=/api/webhooks/)[0-9]{17,20}/[\w-]{60,}"
    r"|(?<![\w-])SK[0-9a-f]{32}(?![\w-])",  # Twilio
    re.DOTALL | re.ASCII,
)
_ANY_PREFIX = "|".join(map(re.escape, _PREFIXES))
PREFIXED = re.compile(rf"(?<![\w./-])(?:{_ANY_PREFIX})[\w./+=-]{{20,}}", re.ASCII)
SHAPED = re.compile(r"(?<![\w./=+-])[a-z][a-z0-9]{1,11}[_-][\w-]{32,}", re.ASCII)
"""Keys of services that nobody listed: a short word and at least 32 random characters."""

KEY_HINT = (
    r"PRIVATE KEY-----|PRIVATE KEY BLOCK-----",
    r"eyJ[0-9A-Za-z_-]{8}",
    r"(?:[sprg]s?k|gh[opsur]|hf|npm|r8|lin_api|nvapi|dop_v1)[-_][0-9A-Za-z_-]{12}",
    r"(?:_pat_|glpat-|pypi-|xai-|pplx-|whsec_|shp(?:at|ca|pa|ss)_|sntrys_|xox[abeprs]-)[^ \"]{10}",
    r"A[KS]IA[0-9A-Z]{16}",
    r"AIza|SG\.|ya29\.|hooks\.slack",
    r"(?:[Bb]earer|BEARER|Basic) ",
)
"""Hints for the keys, which apply to plain texts and to JSON strings."""

URL_LOGIN = re.compile(r"(?<=://)(?:[^\s/@?#:\"<>]*:[^\s/@?#\"<>]*|[^\s/@?#:\"<>]{12,})@")
URL_SECRET = re.compile(
    r"(?i)([?&#;](?:[\w.-]{0,40}[_.-])?(?:(?:api|access|secret)?key|\w{0,20}token|\w{0,20}secret|sig(?:nature)?"
    r"|pass(?:word|wd)?|pwd|(?:auth|session(?:id)?|sid)(?==[^&#\s]{0,60}[0-9])|code(?=[^&#\s]{12})|credentials?)=)(?!<KEY>)[^&#\s]+"
)
URL_HINT = (
    r"://[^ /@?#]+@",
    r"(?i:key|token|secret|sig|signature|pass|password|passwd|pwd|auth|session|sessionid|sid|code|credentials?)=",
)

ASSIGNED = re.compile(
    # the name may start before the word: DB_PASSWORD, client_secret, AccountKey
    r"(?i)((?:(?:(?<![^\W_])(?:pass|pwd|psw|pw)|pass(?:word|wd|phrase))(?P<password>)|secret|token"
    r"|(?:api|access|account|secret|private|shared|storage|signing|encryption|master|instrumentation)[ _-]?key)"
    r"[\"']?[ \t]{0,3}[:=]\s*)"
    # not code that reads a secret, and not a count of tokens
    r"(?![\"']?(?:<KEY>|\*{3}|[$%]?[{<(\[]|\$[A-Z]|os\.|process\.|env\.|self\.|\w+\())"
    r"(?(password)|(?![\"']?[\d.]+(?![^\s,;}\"'])))"
    r"(?=[^\s,;]{0,60}[\d!#$%&*@^])[^\s,;]{6,}"
)
_SECRET_NAME = (
    "(?:pass|pwd|psw|pw|passwd|password|passphrase|secret|token"
    "|(?:api|access|account|private|shared|storage|signing|encryption|master|instrumentation)[ _-]?key)"
)
ASSIGNED_HINT = (rf"(?i:{_SECRET_NAME})(?:\\?[\"'])?(?:[ \t]|\\t){{0,3}}[:=]",)
SECRET_KEY = f"(?i:{_SECRET_NAME}$)"
"""Names of fields whose values are secrets."""

SECRET_FIELD_HINT = (f'(?i:{_SECRET_NAME}){COLON}["\\[]',)


_KEYWORDS = sorted({*read_rules(), *COMMAND_KEYWORDS, "api/webhooks/", *(prefix.lower() for prefix in _PREFIXES)})
_KEYWORD_HINT = f"(?i-u:{'|'.join(map(re.escape, _KEYWORDS))})"
WORD_HINTS = (_KEYWORD_HINT, PASSWORD_HINT)
"""Words of which some keys need one."""
CLOSE_WORD_HINTS = (_KEYWORD_HINT, CLOSE_PASSWORD_HINT)
"""The same, but narrower, and slower on whole documents."""
SHAPE_HINTS = (
    r"[_-][0-9A-Za-z_-]{32}",
    ":AA[0-9A-Za-z_-]{33}|SK[0-9a-f]{32}",
    r"\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27}",
)
"""Hints each of which is fast alone."""

_LONG_RUN = re.compile(r"[\w./+=-]{12}|asic |PRIVATE KEY", re.ASCII)
"""A run that each key has: without it a text need not be searched."""

_MIXED_RUN = re.compile(r"(?=[A-Za-z0-9]*[0-9])(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{16,}")


def scrub_keys(text: str) -> str:
    """The text with <KEY> for each secret; the names of secrets and the hosts of addresses stay."""
    text = scrub_commands(text)
    if "://" in text:
        text = substitute(URL_LOGIN, "<KEY>@", text)
    if "=" in text:
        text = substitute(URL_SECRET, mark_rest, text)
    if _LONG_RUN.search(text):
        text = _scrub_long_keys(substitute(KEY, "<KEY>", text))
    if ":" in text or "=" in text:
        text = substitute(ASSIGNED, mark_rest, text)
    return scrub_passwords(text)


def _scrub_long_keys(text: str) -> str:
    if any(prefix in text for prefix in _PREFIXES):
        text = substitute(PREFIXED, lambda match: "<KEY>" if RANDOM_RUN.search(match[0]) else match[0], text)
    text = substitute(SHAPED, lambda match: "<KEY>" if _MIXED_RUN.search(match[0]) else match[0], text)
    return scrub_known_keys(text)
