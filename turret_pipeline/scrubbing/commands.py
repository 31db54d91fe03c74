"""Secrets in commands, headers and connection strings."""

import re

from turret_pipeline.scrubbing.normalization import mark_rest, substitute
from turret_pipeline.scrubbing.passwords import NOT_A_VALUE

_CURL_LOGIN = re.compile(
    r"(\bcurl\b[^\n]{0,2000}?\s(?:-[a-zA-Z]*u|--(?:proxy-)?user)[ =]?)"
    r"(?:\"(?![$<{])[^\":\n]+:(?![$<{*])[^\"\n]+\"|'(?![$<{])[^':\n]+:(?![$<{*])[^'\n]+'"
    r"|(?![$<{\"'])[^\s:\"']+:(?![$<{*])[^\s\"']+)"
)
_ARGUMENT = re.compile(
    r"((?:\s--?(?:password|passwd|pass|pwd|secret|token|api-?key|auth-token)[ =]|\bsshpass\s{1,3}-p\s{0,3}"
    r"|\bmysql(?:dump|admin)?\b[^\n|]{0,200}?\s-p|\bredis-cli\b[^\n|]{0,200}?\s-a\s{1,3}"
    r"|\bnet use\b[^\n]{0,200}?/user:\S{1,100}\s{1,3}|\b(?:docker|helm|az|oc) login\b[^\n|]{0,200}?\s-p\s{1,3}"
    r"|\btwine upload\b[^\n|]{0,200}?\s-p\s{1,3})[\"']?)"
    rf"{NOT_A_VALUE}([^\s\"'|]{{4,}})"
)
_COOKIE = re.compile(
    r"(?i)(\b(?:set-)?cookie[\"']?\s{0,3}:\s{0,3}[\"']?|\.cookie ?=\s{0,3}[\"']"
    r"|\bcurl\b[^\n]{0,2000}?\s(?:-b|--cookie)[ =]?[\"']?)(?!<KEY>)([\w.-]+=(?![\"'<$])[^\s\"'\n][^\"'\n]{3,})"
)
_HEADER = re.compile(
    r"(?i)(\b(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
    r"(?:(?:basic|bearer|token|api-?key|key|digest|negotiate|splunk|bot)[ ]+)?"
    r"|\b(?:x-(?:[a-z]+-){0,3}(?:api-?key|access-key|token|auth|secret|signature)|api-?key|[a-z]+-token|[a-z]+-subscription-key)"
    rf"[\"']?\s{{0,3}}:\s{{0,3}}[\"']?){NOT_A_VALUE}(?!(?:bearer|basic|token)\b)((?=[^\s\"',;]{{0,200}}[0-9])[^\s\"',;]{{8,}})"
)
_NAME = r"(?:server|data source|host|hostname|uid|user id|user|username|dbname|database|initial catalog|driver|dsn)"
_CONNECTION = re.compile(
    r"(?i)((?:^|[;\s\"'])(?:password|pwd|pass)[ ]?=[ ]?)(?![\"'<$*{])([^;\n\"']{1,80}?)(?=\s*(?:;|$|[\"'\n])|\s+\w+=)"
)
_IS_CONNECTION = re.compile(rf"(?i)(?:^|[;\s\"']){_NAME}[ ]?=[^;\s]")
_ORACLE_LOGIN = re.compile(r"(jdbc:oracle:\w+:)([^\s/@]+/[^\s@]+)(?=@)")
_SEED = re.compile(
    r"(?i)((?:seed|recovery|mnemonic|backup) (?:phrase|words)(?: is| are)?:? +)([a-z]{3,8}(?:[ ,]+[a-z]{3,8}){11,23})"
)

COMMAND_KEYWORDS = (
    *("curl ", "--pass", "--pwd", "--secret", "--token", "--api", "--auth", " -pass", " -pwd", " -secret", " -token"),
    *("sshpass", "mysql", "redis-cli", "net use", "docker login", "helm login", "az login", "oc login", "twine upload"),
    *("cookie:", "cookie =", "cookie=", 'cookie"', "cookie'", "cookie\\", "authorization", "signature:", "-auth:"),
    *("subscription-key", "jdbc:oracle", "seed phrase", "seed words", "recovery phrase", "recovery words"),
    *("mnemonic phrase", "mnemonic words", "backup phrase", "backup words"),
    *("password=", "pwd=", "pass=", "password =", "pwd =", "pass ="),
)
"""Words, in lower case, without which a text has none of these secrets."""


def scrub_commands(text: str) -> str:
    """The text with <KEY> for passwords of commands, headers that log in, cookies and connection strings."""
    lowered = text.lower()
    if not any(word in lowered for word in COMMAND_KEYWORDS):
        return text
    for pattern in (_CURL_LOGIN, _ARGUMENT, _COOKIE, _HEADER, _ORACLE_LOGIN, _SEED):
        text = substitute(pattern, mark_rest, text)
    return substitute(_CONNECTION, mark_rest, text) if _IS_CONNECTION.search(text) else text
