"""Inputs of about a given size that begin what some pattern looks for, and the work on them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turret_pipeline.collector.wire.validation import MetadataLimits
from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.scrubbing import KINDS
from turret_pipeline_tests.ingest.imports import FILE_TIME

PUMPS = (
    *(
        "a",
        "0",
        " ",
        "\n",
        "\t ",
        "-",
        ".",
        ",",
        ";",
        ":",
        "/",
        "\\",
        '"',
        "'",
        "`",
        "_",
        "@",
        "=",
        "<",
        ">",
        "&",
        "#",
        "|",
    ),
    *(
        "(",
        "[",
        "{",
        "[{",
        '{"a":',
        '["',
        "<a ",
        "<a>",
        "<!--",
        "&amp;",
        "a@",
        "a.",
        "a-",
        "a:",
        "a=",
        "a ",
        "A. ",
        "Aa ",
        "0-",
    ),
    *(
        "0.",
        "0 ",
        "1,",
        "+1 ",
        "0x",
        "1e",
        "\\u",
        "\\ud83d",
        "\\\\",
        '\\"',
        '"\\',
        "NaN",
        "Infinity",
        "é",
        "\u0301",
        "漢",
        "😀",
    ),
    *(
        "\x1b[",
        "\x00",
        "\ud83d",
        "\u200b",
        "www.",
        "http://",
        "sk-",
        "AKIA",
        "key=",
        "password: ",
        "http://a:",
        "-----BEGIN ",
    ),
    *(
        "> ",
        "- ",
        "* ",
        "```\n",
        "On a wrote:\n",
        "at a.b(c:1)\n",
        "2026-05-01T10:00:00Z ",
        "user: ",
        "1. ",
        "eyJ",
        "eyJ.",
    ),
)
"""Texts that are repeated. Each begins what some pattern looks for, and none ends it."""


OPTIONS = ParseOptions(FILE_TIME, privacy=Privacy(frozenset(KINDS)))


LIMITS = MetadataLimits(max_text_length=1 << 30, max_depth=200, max_keys=1 << 30)


@dataclass(frozen=True)
class Case:
    """Work on an input of about a given number of bytes."""

    name: str
    make_input: Callable[[int], Any]
    work: Callable[[Any], object]


def pump(text: str, size: int) -> str:
    """The text repeated to about this size, with an end that matches nothing."""
    return text * (size // len(text)) + "\x01!"


def repeat_bytes(part: bytes, size: int) -> bytes:
    """The part repeated to at most this size."""
    return part * (size // len(part))
