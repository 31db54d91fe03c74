"""Text from outside, made harmless for each kind of output: terminal, log, JSON, XML, CSV, Markdown.

Names and texts come from events, files and people. Written as they are, they could send commands to a terminal, forge
lines of output, run as formulas in a spreadsheet, or appear as links and pictures in a browser.
"""

import copy
import html
import logging
import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""Control characters, line separators, half pairs of surrogates, and invisible characters that order or hide others.

The zero-width joiners U+200C and U+200D stay: words in Persian and Hindi and many emoji need them."""

_WHITE_SPACE = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_SYMBOL_OF_NULL, _SYMBOL_OF_DELETE, _REPLACEMENT = 0x2400, "\u2421", "\ufffd"

_LINE_END_IN_XML_TEXT = re.compile(r"(?<!>)\n|\n(?!\s*(?:<|\Z))")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are wide forms

_MARKDOWN_INLINE = re.compile(r"[\\`*_\[\]|~]")
_MARKDOWN_BLOCK = re.compile(r"^(?=[-+#=])|^(\d+)(?=[.)])")
_MARKDOWN_LINK = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)
_BREAK = "&#8203;"
"""A zero-width space as a character reference. Web addresses are links even without brackets, unless interrupted."""


def escape_line(text: str) -> str:
    """The text as one line of a terminal or log, of the same length: control characters become visible symbols."""
    return _UNSAFE.sub(_visible_symbol, text)


def escape_text(text: str) -> str:
    """The text on as many lines as it has, each escaped."""
    return "\n".join(escape_line(line) for line in text.split("\n"))


def indent_further_lines(text: str) -> str:
    """The text on as many lines as it has, each escaped and all but the first indented, like the lines of a record."""
    return escape_text(text).replace("\n", "\n  ")


def _visible_symbol(match: re.Match[str]) -> str:
    character = match[0]
    if character in _WHITE_SPACE:
        return " "
    if character < " ":
        return chr(_SYMBOL_OF_NULL + ord(character))
    return _SYMBOL_OF_DELETE if character == "\x7f" else _REPLACEMENT


def escape_json(document: str) -> str:
    r"""The JSON document with \u escapes for control characters in its strings. Its values stay the same."""
    return "\n".join(_UNSAFE.sub(_json_escape, line) for line in document.split("\n"))


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def escape_xml(document: str) -> str:
    """The XML document with character references for control characters and line ends in texts, which stay the same.

    The document must not contain the characters that XML cannot represent, not even as a reference.
    """
    lines = [_UNSAFE.sub(lambda match: f"&#{ord(match[0])};", line) for line in document.split("\n")]
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
