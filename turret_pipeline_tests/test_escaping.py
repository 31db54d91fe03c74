"""Text from outside in each kind of output."""

import json
import logging
import sys
import unicodedata
from xml.etree import ElementTree

import pytest

from turret_pipeline.escaping import (
    EscapingFormatter,
    escape_csv_cell,
    escape_json,
    escape_line,
    escape_markdown,
    escape_text,
    escape_xml,
    indent_further_lines,
    unescape_markdown,
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain é 東京 👩‍💻 نمی‌خواهم", "plain é 東京 👩‍💻 نمی‌خواهم"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("a\x00b\x08c\x7f", "a␀b␈c␡"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("\x9b31m \u202etxt.exe\u202c \u2066x\u2069 a\u200bb\ufeff", "�31m �txt.exe� �x� a�b�"),
        ("half \ud83d", "half �"),
        ("\U000e0041", "�"),
    ],
)
def test_a_line_has_symbols_for_control_characters(text: str, line: str) -> None:
    assert escape_line(text) == line


def test_no_character_that_a_terminal_obeys_is_forgotten() -> None:
    orders = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    letters = [chr(code) for code in range(sys.maxunicode + 1)]
    unsafe = [
        letter
        for letter in letters
        if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} or unicodedata.bidirectional(letter) in orders
    ]
    assert len(unsafe) > 2000
    assert not [letter for letter in unsafe if escape_line(letter) == letter]


SHOWN_FORMATS = ("ARABIC ", "SYRIAC ABBREVIATION MARK", "KAITHI NUMBER SIGN", "EGYPTIAN HIEROGLYPH ")
"""Beginnings of the names of format characters that are shown, except U+061C."""

JOINERS = "\u200c\u200d"


def test_every_invisible_format_character_is_replaced() -> None:
    formats = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"]
    shown = {letter for letter in formats if unicodedata.name(letter, "").startswith(SHOWN_FORMATS)} - {"\u061c"}
    assert set("\u0600\u0605\u06dd\u070f\u08e2\U000110bd") <= shown
    assert {letter for letter in formats if escape_line(letter) == letter} == shown | set(JOINERS)


@pytest.mark.parametrize(
    "letters",
    [
        "\u034f",  # combining grapheme joiner
        "\u115f\u1160\u3164\uffa0",  # fillers of Hangul
        "\u17b4\u17b5",  # inherent vowels of Khmer
        "\u180b\u180c\u180d\u180e\u180f",  # selectors of Mongolian, without a letter of it
        "\U000e0100\U000e01ef",  # selectors of ideographs, without one
        "\u2065\ufff0\ufff8\U000e0080\U000e01f0\U000e0fff",  # reserved for invisible characters
    ],
)
def test_other_invisible_characters_are_replaced(letters: str) -> None:
    assert escape_line(f"a{letters}") == f"a{'�' * len(letters)}"


def test_selectors_and_tags_hide_no_text() -> None:
    assert escape_line("❤\ufe0f\ufe00\ufe01") == "❤\ufe0f��"
    assert escape_line("葛\U000e0100\U000e0101") == "葛\U000e0100�"
    assert escape_line("\U0001f3f4\U000e0068\U000e0069\U000e007f") == "\U0001f3f4���"


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cروم کتب\u200cفروشی",  # Persian
        "क्\u200dष क्\u200cष",  # Hindi
        "\u0600٢٣ \u06dd٤",  # Arabic number sign, end of ayah
        "ᠠ\u180b ᠭ\u180d",  # Mongolian
        "葛\U000e0100城 \U0002000b\U000e0101",  # variants of ideographs
        "👩\u200d💻 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 1\ufe0f⃣ 👍🏽 🇩🇪 ☎\ufe0e",
        "\U0001f3f4 \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # flag of Scotland
    ],
)
def test_text_that_needs_format_characters_stays_as_it_is(text: str) -> None:
    assert escape_line(text) == text
    assert escape_json(f'"{text}"') == f'"{text}"'
    assert escape_xml(text) == text


def test_texts_of_several_lines_keep_them() -> None:
    assert escape_text("a\x07\nb\n") == "a␇\nb\n"
    assert indent_further_lines("first\nsecond\n\nthird\x1b") == "first\n  second\n  \n  third␛"


def test_json_has_escapes_and_the_same_values() -> None:
    value = {"a\u202e\x9b": ["\x1b\n\x7f", "\U000e0041 é", "back\\slash\u2028"], "b": 1.5}
    for indent in (None, 2):
        document = escape_json(json.dumps(value, ensure_ascii=False, indent=indent))
        assert json.loads(document) == value
        assert "é" in document
        assert escape_line(document.replace("\n", "")) == document.replace("\n", "")


def test_xml_has_references_and_the_same_values() -> None:
    document = escape_xml('<r>\n  <a b="\u202ex">é\x85\u2028\n\tf\n</a>\n  <a>\n\ng</a>\n</r>\n')
    assert document == '<r>\n  <a b="&#8238;x">é&#133;&#8232;&#10;&#9;f&#10;</a>\n  <a>&#10;&#10;g</a>\n</r>\n'
    first, second = ElementTree.fromstring(document)
    assert (first.get("b"), first.text, second.text) == ("\u202ex", "é\x85\u2028\n\tf\n", "\n\ng")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\r=1", "' =1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("-", "'-"),
        ("-5", "-5"),
        ("+5", "+5"),
        ("-0.25e-3", "-0.25e-3"),
        ("-.5", "-.5"),
        ("a=1", "a=1"),
        ("", ""),
        ("two\nlines", "two lines"),
    ],
)
def test_a_spreadsheet_runs_no_cell(text: str, cell: str) -> None:
    assert escape_csv_cell(text) == cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 2026-08-01", "plain text, 2026-08-01"),
        ("prompt_sent", r"prompt\_sent"),
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        ("[x](javascript:alert)", r"\[x\](javascript:alert)"),
        ("![x](http://e)", r"!\[x\](http:&#8203;//e)"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("**bold** `code` ~~out~~", r"\*\*bold\*\* \`code\` \~\~out\~\~"),
        ("see https://e.x, WWW.e.x or a@e.x", "see https:&#8203;//e.x, WWW.&#8203;e.x or a@&#8203;e.x"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("10.0% of all", "10.0% of all"),
        ("2026-08-01", "2026-08-01"),
        ("    code", "code"),
        ("two\n\n# lines", "two  # lines"),
    ],
)
def test_markdown_shows_the_text_as_it_is(text: str, shown: str) -> None:
    assert escape_markdown(text) == shown


def test_a_log_record_begins_only_on_its_first_line() -> None:
    formatter = EscapingFormatter(logging.Formatter("%(levelname)s %(message)s"))
    record = logging.LogRecord("n", logging.INFO, "f", 1, "file %s", ("x\x1b\nINFO forged",), None)
    assert formatter.format(record) == "INFO file x␛\n  INFO forged"
    try:
        raise ValueError("one\nINFO forged")
    except ValueError:
        record.exc_info = sys.exc_info()
    lines = formatter.format(record).split("\n")
    assert lines[-2:] == ["  ValueError: one", "  INFO forged"]
    assert [line for line in lines if not line.startswith("  ")] == ["INFO file x␛"]


@pytest.mark.parametrize(
    "text",
    [
        "prompt_1 | a*b [x](http://a.example) ~~c~~",
        "- 1. # + =",
        "12. of 3)",
        r"back\slash \_",
        "<b>&amp;&#8203;</b> a@b.c",
    ],
)
def test_what_markdown_shows_as_it_is_can_be_read_back(text: str) -> None:
    assert unescape_markdown(escape_markdown(text)) == text
