"""Folders that travel with the code: inside the package in a wheel, at the top level in a checkout.

They may be read-only; nothing is ever written there.
"""

from pathlib import Path

PACKAGE_DIR = Path(__file__).resolve().parent


def _find(packaged: str, in_checkout: str) -> Path:
    folder = PACKAGE_DIR / packaged
    return folder if folder.is_dir() else PACKAGE_DIR.parent / in_checkout


DBT_DIR = _find("dbt_transforms", "dbt_transforms")
"""The dbt project."""

SAMPLE_DIR = _find("sample", "data/sample")
"""Event files of the sample."""
