"""Keys, tokens and passwords, recognised by their form or by the words before them."""

import re

from turret_pipeline.scrubbing.boundary import COLON

KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens
    # OpenAI, Stripe, Groq
    r"|(?<![\w-])[sprg]s?k[-_](?=[A-Za-z_-]*[0-9])(?:[A-Za-z0-9]{1,12}[-_]){0,6}[A-Za-z0-9]{12,}[\w-]*"
    r"|(?<![\w-])(?:gh[opsur]|hf|npm|r8|lin_api|nvapi|dop_v1)[-_][A-Za-z0-9_-]*[A-Za-z0-9]{16,}[\w-]*"
    r"|\bgithub_pat_\w{20,}"
    r"|(?<![\w-])(?:glpat-|pypi-|xai-|pplx-|whsec_|shp(?:at|ca|pa|ss)_|sntrys_)(?=[\w-]*[0-9])[\w-]{16,}"
    r"|(?<![\w-])xox[abeprs]-[\w-]{10,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{30,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\bya29\.[\w-]{16,}"
    r"|(?:(?<=\b[Bb]earer )|(?<=\bBEARER ))(?=[^ ]*[0-9])[\w.~+/=-]{12,}"
    r"|(?<=[Aa]uthorization: Basic )[\w+/=-]{8,}"
    r"|(?<=hooks\.slack\.com/services/)[\w/]{20,}",
    re.DOTALL | re.ASCII,
)
KEY_HINT = (
    r"PRIVATE KEY-----",
    r"eyJ[0-9A-Za-z_-]{8}",
    r"(?:[sprg]s?k|gh[opsur]|hf|npm|r8|lin_api|nvapi|dop_v1)[-_][0-9A-Za-z_-]{12}",
    r"(?:_pat_|glpat-|pypi-|xai-|pplx-|whsec_|shp(?:at|ca|pa|ss)_|sntrys_|xox[abeprs]-)[^ \"]{10}",
    r"A[KS]IA[0-9A-Z]{16}",
    r"AIza|SG\.|ya29\.|hooks\.slack",
    r"(?:[Bb]earer|BEARER|Basic) ",
)
"""Hints for the keys, which apply to plain texts and to JSON strings."""

URL_LOGIN = re.compile(r"(?<=://)(?!git@)[^\s/@?#\"<>]+@")
URL_SECRET = re.compile(
    r"(?i)([?&#;](?:[\w.-]{0,40}[_.-])?(?:(?:api|access|secret)?key|\w{0,20}token|\w{0,20}secret|sig(?:nature)?"
    r"|pass(?:word|wd)?|pwd|auth|session(?:id)?|sid|code(?=[^&#\s]{12})|credentials?)=)(?!<KEY>)[^&#\s]+"
)
URL_HINT = (
    r"://[^ /@?#]+@",
    r"(?i:key|token|secret|sig|signature|pass|password|passwd|pwd|auth|session|sessionid|sid|code|credentials?)=",
)

ASSIGNED = re.compile(
    # the name may start before the word: DB_PASSWORD, client_secret, AccountKey
    r"(?i)((?:(?:(?<![^\W_])(?:pass|pwd)|pass(?:word|wd|phrase))(?P<password>)|secret|token"
    r"|(?:api|access|account|secret|private|shared|storage|signing|encryption|master)[ _-]?key)[\"']?[ \t]{0,3}[:=]\s*)"
    # not code that reads a secret, and not a count of tokens
    r"(?![\"']?(?:<KEY>|\*{3}|[$%]?[{<(\[]|\$[A-Z]|os\.|process\.|env\.|self\.|\w+\())"
    r"(?(password)|(?![\"']?[\d.]+(?![^\s,;}\"'])))"
    r"(?=[^\s,;]{0,60}[\d!#$%&*@^])[^\s,;]{6,}"
)
_SECRET_NAME = (
    "(?:pass|pwd|passwd|password|passphrase|secret|token"
    "|(?:api|access|account|private|shared|storage|signing|encryption|master)[ _-]?key)"
)
ASSIGNED_HINT = (rf"(?i:{_SECRET_NAME})(?:\\?[\"'])?(?:[ \t]|\\t){{0,3}}[:=]",)
SECRET_KEY = f"(?i:{_SECRET_NAME}$)"
"""Names of fields whose values are secrets."""

SECRET_FIELD_HINT = (f'(?i:{_SECRET_NAME}){COLON}["\\[]',)


def scrub_keys(text: str) -> str:
    """The text with <KEY> for each secret; the names of secrets and the hosts of addresses stay."""
    text = URL_LOGIN.sub("<KEY>@", text)
    text = URL_SECRET.sub(r"\1<KEY>", text)
    text = KEY.sub("<KEY>", text)
    return ASSIGNED.sub(r"\1<KEY>", text)
