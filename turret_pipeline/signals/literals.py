"""Strings one of which every match of a regular expression contains.

They are found several times as fast as the expression, and most texts have none of them: only the others need the
expression (Cox: Regular Expression Matching with a Trigram Index, 2012). What this module cannot read, such as a flag
or a class with ranges, counts as any string, so the answer is never wrong, only of less use.
"""

from dataclasses import dataclass
from itertools import product

MAX_STRINGS = 200
"""More strings than this are not multiplied out."""

_ANYTHING = None
_Strings = frozenset[str] | None
"""All strings that a part of an expression can match; None if they are too many to list."""


@dataclass(frozen=True)
class _Part:
    """A part of an expression: the strings that it matches, and strings one of which is in each match."""

    all: _Strings
    some: _Strings


_EMPTY = _Part(frozenset([""]), _ANYTHING)
_UNKNOWN = _Part(_ANYTHING, _ANYTHING)


def list_needed(expression: str) -> list[str] | None:
    """Strings one of which is in every text that the expression matches; None if it has none."""
    try:
        part, end = _read_alternatives(expression, 0)
    except (ValueError, IndexError):
        return None
    needed = _choose([part.all, part.some])
    if needed is None or end != len(expression):
        return None
    return sorted(one for one in needed if not any(other in one for other in needed - {one}))


def _choose(candidates: list[_Strings]) -> _Strings:
    """The candidate whose shortest string is longest: it occurs in the fewest texts. None if each has an empty one."""
    known = [strings for strings in candidates if strings and "" not in strings]
    return max(known, key=lambda strings: (min(map(len, strings)), -len(strings)), default=None)


def _read_alternatives(text: str, at: int) -> tuple[_Part, int]:
    """The part up to the end of the group or the expression, and its end."""
    parts = []
    while True:
        part, at = _read_sequence(text, at)
        parts.append(part)
        if at == len(text) or text[at] == ")":
            break
        at += 1
    every, some = [part.all for part in parts], [_choose([part.all, part.some]) for part in parts]
    return _Part(_unite(every), _unite(some)), at


def _unite(sets: list[_Strings]) -> _Strings:
    known = [strings for strings in sets if strings is not None]
    return frozenset[str]().union(*known) if len(known) == len(sets) else _ANYTHING


def _read_sequence(text: str, at: int) -> tuple[_Part, int]:
    """The part up to the next alternative: the strings of the longest run of items, or what one of them needs."""
    run: frozenset[str] = frozenset([""])
    candidates: list[_Strings] = []
    is_listed = True
    while at < len(text) and text[at] not in "|)":
        item, at = _read_item(text, at)
        joined = _multiply(run, item.all)
        if joined is None:
            is_listed = False
            candidates += [run, item.some]
            run = item.all if item.all is not None else frozenset([""])
        else:
            run = joined
    return _Part(run if is_listed else _ANYTHING, _choose([*candidates, run])), at


def _multiply(ones: frozenset[str], others: _Strings) -> frozenset[str] | None:
    if others is None or len(ones) * len(others) > MAX_STRINGS:
        return None
    return frozenset(one + other for one, other in product(ones, others))


def _read_item(text: str, at: int) -> tuple[_Part, int]:
    """A character, class or group with what says how often it occurs."""
    if text.startswith("(?:", at):
        part, at = _read_alternatives(text, at + 3)
        at += 1
    elif text[at] == "(":
        raise ValueError("a group with a flag or a name")
    elif text[at] == "[":
        part, at = _read_class(text, at + 1)
    elif text[at] == "\\":
        part, at = _read_escape(text[at + 1]), at + 2
    else:
        part = _EMPTY if text[at] in "^$" else _UNKNOWN if text[at] == "." else _literal(text[at])
        at += 1
    return _repeat(part, text, at)


def _literal(*strings: str) -> _Part:
    return _Part(frozenset(strings), frozenset(strings))


def _read_escape(letter: str) -> _Part:
    if letter in "bB":
        return _EMPTY
    return _UNKNOWN if letter.isalnum() else _literal(letter)


def _read_class(text: str, at: int) -> tuple[_Part, int]:
    """The characters of a class without ranges and escapes."""
    end = text.index("]", at + 1)
    inside = text[at:end]
    is_plain = inside[0] != "^" and not set(inside.strip("-")) & set("-\\[")
    return (_literal(*inside) if is_plain else _UNKNOWN), end + 1


def _repeat(part: _Part, text: str, at: int) -> tuple[_Part, int]:
    if at == len(text) or text[at] not in "?*+{":
        return part, at
    sign = text[at]
    if sign == "?":
        optional = None if part.all is None else part.all | {""}
        part, at = _Part(optional, _ANYTHING), at + 1
    elif sign == "{":
        end = text.index("}", at)
        least, *most = text[at + 1 : end].split(",")
        part, at = _repeat_often(part, int(least), is_exact=not most), end + 1
    else:
        part, at = _Part(_ANYTHING, part.some if sign == "+" else _ANYTHING), at + 1
    return part, at + 1 if text[at : at + 1] == "?" else at


def _repeat_often(part: _Part, least: int, *, is_exact: bool) -> _Part:
    if not is_exact or part.all is None:
        return _Part(_ANYTHING, part.some if least else _ANYTHING)
    strings: _Strings = frozenset([""])
    for _ in range(least):
        strings = None if strings is None else _multiply(strings, part.all)
    return _Part(strings, part.some if least else _ANYTHING)
