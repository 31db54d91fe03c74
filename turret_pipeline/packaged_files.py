"""The code, and folders that travel with it: inside the package in a wheel, at the top level in a checkout.

They may be read-only; nothing is ever written there.
"""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

PACKAGE_DIR = Path(__file__).resolve().parent


def _find(packaged: str, in_checkout: str) -> Path:
    folder = PACKAGE_DIR / packaged
    return folder if folder.is_dir() else PACKAGE_DIR.parent / in_checkout


DBT_DIR = _find("dbt_transforms", "dbt_transforms")
"""The dbt project."""

SAMPLE_DIR = _find("sample", "data/sample")
"""Event files of the sample."""


@functools.cache
def hash_package() -> str:
    """Hash of this package's code, weights and forms."""
    decisive = (file for ending in ("py", "toml", "npz") for file in PACKAGE_DIR.rglob(f"*.{ending}"))
    return hash_files(sorted(decisive))


def hash_files(files: Iterable[Path]) -> str:
    """Hash of the contents of files, in their order."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
