"""Pages of the documentation, and the blocks of code in them."""

import re
from dataclasses import dataclass
from pathlib import Path

from turret_pipeline_tests.commands import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"(?:^<!-- not run: ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code. ``reason`` says why no test runs it; it is empty for all others."""

    page: str
    language: str
    code: str
    reason: str


def name_page(path: Path) -> str:
    """Path of a page relative to the project."""
    return path.relative_to(PROJECT).as_posix()


def list_blocks(page: str | None = None, language: str | None = None) -> list[Block]:
    """Blocks of a page, or of all pages, in one language or in all."""
    blocks = [
        Block(name_page(path), found[2], found[3], found[1] or "")
        for path in PAGES
        for found in _BLOCK.finditer(path.read_text(encoding="utf-8"))
    ]
    return [block for block in blocks if page in (None, block.page) and language in (None, block.language)]
