"""Labelled texts with secrets and personal data as they occur in the wild, and harmless texts that look like them.

They were written before the patterns that have to find them, and half of them was set aside: see `assign_half`.
"""

import hashlib
import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{(?:U\+([0-9A-F]{4})|(n)|([ahdulwb])([0-9]+))\}")
_DIGITS_LETTERS = string.ascii_letters + string.digits
_ALPHABETS = {
    "a": _DIGITS_LETTERS,
    "h": "0123456789abcdef",
    "d": string.digits,
    "u": string.ascii_uppercase + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "w": _DIGITS_LETTERS + "_-",
    "b": _DIGITS_LETTERS + "+/",
}


@dataclass(frozen=True)
class WildText:
    """A text, the stretches in it that have to go, and the half to which it belongs: "A" for tuning, "B" set aside."""

    text: str
    secrets: tuple[str, ...]
    kind: str
    half: str

    def is_found_in(self, clean: str) -> bool:
        """True if the clean text has no secret, nor any half of one."""
        return not any(
            secret[at : at + size] in clean
            for secret in self.secrets
            for size in [max((len(secret) + 1) // 2, min(len(secret), 4))]
            for at in range(len(secret) - size + 1)
        )


def read_secrets() -> list[WildText]:
    """All texts with something to replace, by kind."""
    texts, kind = [], ""
    for line in _read_lines("wild_secrets.txt"):
        if line.startswith("[") and line.endswith("]") and "⟦" not in line:
            kind = line[1:-1]
            continue
        filled = _fill(line)
        secrets = tuple(re.findall("⟦(.*?)⟧", filled, re.DOTALL))
        texts.append(WildText(re.sub("[⟦⟧]", "", filled), secrets, kind, assign_half(line)))
    return texts


def read_harmless() -> list[WildText]:
    """All texts that have to stay as they are."""
    return [WildText(_fill(line), (), "harmless", assign_half(line)) for line in _read_lines("harmless.txt")]


def assign_half(line: str) -> str:
    """Half of a line of the lists: "A", on which patterns may be tuned, or "B"."""
    return "AB"[hashlib.sha256(line.encode()).digest()[0] % 2]


def count_results(half: str, scrub: Callable[[str], str]) -> dict[str, tuple[int, int]]:
    """Number of texts with the right result, and of all texts of a half, by kind, with a sum of all secrets."""
    secrets = [text for text in read_secrets() if text.half == half]
    results = [(text.kind, text.is_found_in(scrub(text.text))) for text in secrets]
    results += [("all secrets", is_found) for _, is_found in results]
    harmless = [text for text in read_harmless() if text.half == half]
    results += [(text.kind, scrub(text.text) == text.text) for text in harmless]
    kinds = dict.fromkeys(kind for kind, _ in results)
    return {
        kind: (sum(is_right for of, is_right in results if of == kind), sum(of == kind for of, _ in results))
        for kind in kinds
    }


def _read_lines(name: str) -> list[str]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


def _fill(line: str) -> str:
    """The line with its placeholders filled, always in the same way."""
    draw = random.Random(line)

    def fill(match: re.Match[str]) -> str:
        code, line_break, alphabet, count = match.groups()
        if code:
            return chr(int(code, 16))
        return "\n" if line_break else "".join(draw.choices(_ALPHABETS[alphabet], k=int(count)))

    return _PLACEHOLDER.sub(fill, line)
