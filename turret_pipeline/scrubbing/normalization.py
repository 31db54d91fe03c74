"""Texts in plain characters, each of which knows the stretch of the original text that it stands for.

Digits of any script, full-width letters, wide spaces, dashes and percent codes become ASCII, and invisible characters
vanish, so that one pattern finds all spellings. What no pattern matched stays as it was written.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_DIGITS = r"\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\uff10-\uff19\U0001d7ce-\U0001d7ff"
_LETTERS = r"\uff20-\uff3a\uff41-\uff5a\ufe6b\uff1d"
_GAPS = "\u00a0\u2000-\u200a\u202f\u205f\u3000\u2010-\u2015\u2212\uff0d"
"""Spaces and dashes, which matter next to a digit only."""

EXOTIC_HINT = f"[{INVISIBLE}{_DIGITS}{_LETTERS}]|[0-9][{_GAPS}]"
PERCENT_HINT = "%(?:40|2[BbDdEe]|3[0-9Aa]|20[0-9])"
_IS_EXOTIC = re.compile(f"{EXOTIC_HINT}|{PERCENT_HINT}")
_PART = re.compile(rf"%[2-7][0-9A-Fa-f]|[{INVISIBLE}]++|[^\x00-\x7f]|.", re.DOTALL)
"""Invisible characters in a row are one part: they are added to a stretch, which would be copied for each of them."""

_INVISIBLE_CHARACTERS = frozenset(re.findall(f"[{INVISIBLE}]", "".join(map(chr, range(0x10000)))))

Replacement = str | Callable[[re.Match[str]], str]


class NormalizedText(str):
    """A text whose character number n stands for the stretch number n of the original text."""

    stretches: list[str]

    __slots__ = ("stretches",)


def normalize(text: str, prefix_length: int = 0) -> str:
    """The text, or a NormalizedText if it has a character that a pattern might not know.

    Invisible characters right after the prefix, which is in ASCII, do not become part of its last stretch, so that
    `restore` gives back the whole text after the prefix.
    """
    if (text.isascii() and "%" not in text) or not _IS_EXOTIC.search(text):
        return text
    characters: list[str] = []
    stretches: list[str] = []
    for part in _PART.findall(text):
        plain = "" if part[0] in _INVISIBLE_CHARACTERS else _plain(part)
        if not plain and len(stretches) > prefix_length:
            stretches[-1] += part
            continue
        characters += plain or " "
        stretches += [part, *[""] * (len(plain) - 1)]
    return _build(characters, stretches)


def restore(text: str, start: int = 0) -> str:
    """The original text from a position on, with the marks that replaced stretches of it."""
    return "".join(text.stretches[start:]) if isinstance(text, NormalizedText) else text[start:]


def substitute(pattern: re.Pattern[str], replacement: Replacement, text: str) -> str:
    """``pattern.sub(replacement, text)``, after which a NormalizedText still knows its original."""
    if not isinstance(text, NormalizedText):
        return pattern.sub(replacement, text)
    return replace_matches(pattern.finditer(text), replacement, text)


def substitute_after(words: tuple[str, ...], pattern: re.Pattern[str], replacement: Replacement, text: str) -> str:
    """The same for a pattern that starts with one of some words, given in lower case, which is faster."""
    lowered = text.lower()
    if len(lowered) != len(text):  # letters such as the Turkish capital i with a dot
        lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    is_plain = lowered.isascii()
    found = (word for word in words if word in lowered) if not is_plain else _find_plain(words, lowered)
    starts = sorted({at for word in found for at in _find_all(word, lowered)})
    return replace_matches(_match_at(starts, pattern, text), replacement, text) if starts else text


def mark_rest(match: re.Match[str]) -> str:
    """The first group of a match, with <KEY> for what follows."""
    return str(match[1]) + "<KEY>"


def replace_matches(matches: Iterable[re.Match[str]], replacement: Replacement, text: str) -> str:
    """The text with replacements for matches that do not overlap, in order."""
    characters: list[str] = []
    stretches: list[str] = []
    end = 0
    originals = text.stretches if isinstance(text, NormalizedText) else text
    for match in matches:
        new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
        kept = _count_common(match[0], new)
        start = match.start() + kept
        characters += [text[end:start], new[kept:]]
        stretches += [*originals[end:start], *new[kept:]]
        end = match.end()
    if not end:
        return text
    plain = "".join([*characters, text[end:]])
    return _build(plain, [*stretches, *originals[end:]]) if isinstance(text, NormalizedText) else plain


def _find_plain(words: tuple[str, ...], text: str) -> list[str]:
    """The words in a text, both of which are ASCII."""
    return [word for word in _select_plain(words) if word in text]


@lru_cache
def _select_plain(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.isascii()]


def _find_all(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _match_at(starts: Iterable[int], pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches that start at one of these places, without those that overlap the one before."""
    end = 0
    for start in starts:
        if start >= end and (match := pattern.match(text, start)):
            end = match.end()
            yield match


def _build(characters: Iterable[str], stretches: list[str]) -> NormalizedText:
    text = NormalizedText("".join(characters))
    text.stretches = stretches
    return text


def _count_common(first: str, second: str) -> int:
    """Number of first characters that two texts share."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


@lru_cache(4096)
def _plain(part: str) -> str:
    """The plain characters for a visible character or a percent sign with its digits."""
    if len(part) == 3:
        return chr(int(part[1:], 16))
    if part.isascii():
        return part
    if unicodedata.category(part) in {"Nd", "Pd", "Zs"}:
        digit = unicodedata.decimal(part, None)
        return "-" if unicodedata.category(part) == "Pd" else " " if digit is None else str(digit)
    plain = unicodedata.normalize("NFKC", part)
    return plain if plain.isascii() and unicodedata.category(part) != "No" else part
