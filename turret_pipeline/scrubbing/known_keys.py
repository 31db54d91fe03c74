"""Keys and tokens of some 200 services, by the rules of gitleaks (gitleaks.toml, MIT licence).

The file is the one of gitleaks' repository. Left out are rules for files of a certain name, for ids that are no secret,
and those that would match words of a chat or that `keys.py` replaces by a wider pattern.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from turret_pipeline.scrubbing.normalization import substitute

_FILE = Path(__file__).with_name("gitleaks.toml")
_LEFT_OUT = re.compile(
    r"generic-api-key|curl-auth-.*|jwt|private-key|sourcegraph-.*|octopus-.*|twilio-api-key|harness-api-key"
    r"|.*-client-id|.*-(?:api|access)-id|.*-pub(?:lic)?-(?:api-)?key"
)
_SHORTEST_KEYWORD = 4
_SHORTEST_KEY = 12
_ANY_NAME_BEFORE = r"[\w.-]{0,50}?"
_END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
_CASE_SWITCH = "(?i)"


@dataclass(frozen=True)
class Rule:
    """A pattern of gitleaks as Python's, still as text, because few rules are ever needed by a process."""

    pattern: str
    entropy: float
    allowed: tuple[str, ...]


@cache
def read_rules() -> Mapping[str, tuple[Rule, ...]]:
    """The rules by keyword, in lower case: a text without a rule's keyword does not match it."""
    rules: dict[str, tuple[Rule, ...]] = {}
    for row in tomllib.loads(_FILE.read_text(encoding="utf-8"))["rules"]:
        if "path" in row or "regex" not in row or _LEFT_OUT.fullmatch(row["id"]):
            continue
        for keyword in row["keywords"]:
            if len(keyword) >= _SHORTEST_KEYWORD:
                rules[keyword] = (*rules.get(keyword, ()), _to_rule(row))
    return rules


def scrub_known_keys(text: str) -> str:
    """The text with <KEY> for each key of a known service."""
    lowered = text.lower()
    for keyword, rules in read_rules().items():
        if keyword in lowered:
            for rule in rules:
                text = substitute(_compile(rule.pattern), partial(_mark, rule), text)
    return text


def _mark(rule: Rule, match: re.Match[str]) -> str:
    """The match with <KEY> in place of its secret: the first group that is long enough for one, or all of it."""
    group = next((number for number in range(1, match.re.groups + 1) if len(match[number] or "") >= _SHORTEST_KEY), 0)
    secret = match[group]
    if _compute_entropy(secret) < rule.entropy or any(_compile(allowed).search(secret) for allowed in rule.allowed):
        return match[0]
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:start] + "<KEY>" + match[0][end:]


def _compute_entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _to_rule(row: Mapping[str, Any]) -> Rule:
    allowed = [regex for entry in row.get("allowlists", ()) for regex in entry.get("regexes", ())]
    return Rule(_to_python(row["regex"]), row.get("entropy", 0), tuple(map(_to_python, allowed)))


def _to_python(pattern: str) -> str:
    """A pattern of Go as one of Python, which starts at its keyword and may end at any sign.

    Python allows a switch to any case only for a group, so it becomes one that ends with the group around it.
    """
    pattern = pattern.replace(_ANY_NAME_BEFORE, "").replace(_END, r"(?![\w-])")
    pattern = pattern.replace(r"\z", r"\Z").replace("[[:alnum:]]", "[0-9A-Za-z]").replace("[:alnum:]", "0-9A-Za-z")
    out, open_groups, at, is_class = list[str](), [0], 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            continue
        if not is_class and pattern.startswith(_CASE_SWITCH, at):
            out.append("(?i:")
            at += len(_CASE_SWITCH)
            open_groups[-1] += 1
            continue
        if not is_class and char == "(":
            open_groups.append(0)
        elif not is_class and char == ")":
            out.append(")" * open_groups.pop())
        is_class = char == "[" or (is_class and char != "]")
        out.append(char)
        at += 1
    return "".join(out) + ")" * open_groups[0]
