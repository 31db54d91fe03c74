"""Values that programs write in place of an id they do not have, and authors that are no users."""

import re

_WORDS = "null|undefined|none|nil|nan|n/a|not[ _]?set|unknown|anonymous|guest|true|false|object object"
_ZERO_UUID = "0{8}-?0{4}-?0{4}-?0{4}-?0{12}"
_NOTHING = rf"[(\[<]?(?:{_WORDS})[)\]>]?|{_ZERO_UUID}"
_NUMBERS = r"-1(?:\.0)?|0+(?:\.0)?|-+"
_ROLES = "assistant|bot|ai|agent|model|system|gpt|chatgpt|tool"


def _build_pattern(*texts: str) -> str:
    """A pattern of these texts and of blanks; in Polars, the class of white space lacks the separators of ASCII."""
    space = r"[\s\x1c-\x1f]*"
    return rf"(?i)^{space}(?:{'|'.join(texts)})?{space}$"


PATTERNS = {
    "event_id": _build_pattern(_NOTHING),
    "session_id": _build_pattern(_NOTHING, _NUMBERS),
    "trace_id": _build_pattern(_NOTHING, _NUMBERS),
    "user_id": _build_pattern(_NOTHING, _NUMBERS, _ROLES),
}
"""Texts that are no id, by column; Python and Polars read the patterns in the same way.

0 and -1 are no session and no user, but rows may be numbered from 0. A role is the author of an answer, not a user.
"""

_COMPILED = {column: re.compile(pattern) for column, pattern in PATTERNS.items()}


def is_placeholder(column: str, text: str) -> bool:
    """True if the text stands for a missing id of this column."""
    return _COMPILED[column].match(text) is not None
