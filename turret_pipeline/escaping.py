"""Text from outside, made harmless for each kind of output: terminal, log, JSON, XML, CSV, Markdown.

Names and texts come from events, files and people. Written as they are, they could send commands to a terminal, forge
lines of output, run as formulas in a spreadsheet, or appear as links and pictures in a browser.
"""

import copy
import html
import logging
import re
from collections.abc import Callable

_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
"""Control characters, line separators, characters that order others, and half pairs of surrogates."""

_INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""What Unicode calls default ignorable, and U+FFF9 to U+FFFB: nothing is shown for them.

The joiners U+200C and U+200D are not here, because words in Persian and Hindi and many emoji need them. Format
characters that are shown, such as the Arabic number sign, are not invisible, and neither are those of hieroglyphs."""

_MONGOLIAN_SELECTORS, _IDEOGRAPH_SELECTORS, _SELECTORS = "\u180b-\u180d\u180f", "\U000e0100-\U000e01ef", "\ufe00-\ufe0f"
"""Invisible characters that choose the form of the character before them."""

_FLAG, _INVISIBLE_LETTERS = "\U0001f3f4", {ord(letter): 0xE0000 + ord(letter) for letter in "bceglnstw"}
_COUNTRIES = "gbeng|gbsct|gbwls".translate(_INVISIBLE_LETTERS)
"""England, Scotland and Wales, whose flags are emoji that spell these codes in invisible letters."""

_UNSAFE = re.compile(
    f"[{_CONTROLS}{_INVISIBLE}{_MONGOLIAN_SELECTORS}{_IDEOGRAPH_SELECTORS}{_SELECTORS}{_FLAG}]"
    f"(?:(?<={_FLAG})(?:{_COUNTRIES})\U000e007f)?"
)
_NEEDED = re.compile(
    f"(?<=[\u1820-\u18aa])[{_MONGOLIAN_SELECTORS}]"
    f"|(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[{_IDEOGRAPH_SELECTORS}]"
    f"|(?<![{_SELECTORS}])[{_SELECTORS}]|{_FLAG}"
)
"""What stays although it looks unsafe: flags, and a selector after a character that has several forms."""

_WHITE_SPACE = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_SYMBOL_OF_NULL, _SYMBOL_OF_DELETE, _REPLACEMENT = 0x2400, "\u2421", "\ufffd"

_LINE_END_IN_XML_TEXT = re.compile(r"(?<!>)\n|\n(?!\s*(?:<|\Z))")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are wide forms

_MARKDOWN_INLINE = re.compile(r"[\\`*_\[\]|~]")
_MARKDOWN_BLOCK = re.compile(r"^(?=[-+#=])|^(\d+)(?=[.)](?:\s|$))")
_MARKDOWN_LINK = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)
_MARKDOWN_ESCAPE = re.compile(r"\\([\\`*_\[\]|~\-+#=.)])")
_BREAK = "&#8203;"
"""A zero-width space as a character reference. Web addresses are links even without brackets, unless interrupted."""


def escape_line(text: str) -> str:
    """The text as one line of a terminal or log, of the same length: control characters become visible symbols."""
    return _replace_unsafe(text, _visible_symbol)


def escape_text(text: str) -> str:
    """The text on as many lines as it has, each escaped."""
    return "\n".join(escape_line(line) for line in text.split("\n"))


def indent_further_lines(text: str) -> str:
    """The text on as many lines as it has, each escaped and all but the first indented, like the lines of a record."""
    return escape_text(text).replace("\n", "\n  ")


def _replace_unsafe(text: str, replace: Callable[[str], str]) -> str:
    return _UNSAFE.sub(lambda match: match[0] if _NEEDED.match(text, match.start()) else replace(match[0]), text)


def _visible_symbol(character: str) -> str:
    if character in _WHITE_SPACE:
        return " "
    if character < " ":
        return chr(_SYMBOL_OF_NULL + ord(character))
    return _SYMBOL_OF_DELETE if character == "\x7f" else _REPLACEMENT


def escape_json(document: str) -> str:
    r"""The JSON document with \u escapes for control characters in its strings. Its values stay the same."""
    return "\n".join(_replace_unsafe(line, _json_escape) for line in document.split("\n"))


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def escape_xml(document: str) -> str:
    """The XML document with character references for control characters and line ends in texts, which stay the same.

    The document must not contain the characters that XML cannot represent, not even as a reference.
    """
    lines = [_replace_unsafe(line, lambda character: f"&#{ord(character)};") for line in document.split("\n")]
    return _LINE_END_IN_XML_TEXT.sub("&#10;", "\n".join(lines))


def escape_csv_cell(text: str) -> str:
    """The text as one line that a spreadsheet shows and never runs: a formula starts with an apostrophe.

    Numbers stay numbers, such as -5.
    """
    line = escape_line(text)
    is_formula = line.lstrip().startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(line)
    return f"'{line}" if is_formula else line


def escape_markdown(text: str) -> str:
    """The text as one line that Markdown shows as it is: no HTML, link, picture, emphasis, list or table cell."""
    line = _MARKDOWN_INLINE.sub(r"\\\g<0>", escape_line(text).strip())
    line = html.escape(_MARKDOWN_BLOCK.sub(r"\1\\", line), quote=False)
    return _MARKDOWN_LINK.sub(rf"\g<0>{_BREAK}", line)


def unescape_markdown(text: str) -> str:
    """The text that ``escape_markdown`` was given, for places that are no Markdown, as one line."""
    return _MARKDOWN_ESCAPE.sub(r"\1", html.unescape(text.replace(_BREAK, "")))


class EscapingFormatter(logging.Formatter):
    """Formatter of log records that no message can forge: the further lines of a record are indented.

    The layout is that of another formatter.
    """

    def __init__(self, layout: logging.Formatter) -> None:
        super().__init__()
        self._layout = layout

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        escaped = copy.copy(record)
        escaped.msg, escaped.args = indent_further_lines(record.getMessage()), ()
        escaped.__dict__.pop("color_message", None)  # uvicorn's second version of the message
        if record.exc_info:
            escaped.exc_text = indent_further_lines(f"  {self.formatException(record.exc_info)}")
        escaped.stack_info = record.stack_info and indent_further_lines(f"  {record.stack_info}")
        return self._layout.format(escaped)
