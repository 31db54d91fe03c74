"""The lists of words.toml, after which secrets and ids follow."""

import tomllib
from pathlib import Path

_FILE = Path(__file__).with_name("words.toml")

WORDS = {
    name: [word.replace(r"\s", " ") for word in words.split()]
    for name, words in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()
}
"""The words of each list."""
