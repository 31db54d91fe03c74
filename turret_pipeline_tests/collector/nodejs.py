"""Node.js and Trubrics' SDK from npm, where they are to be had."""

import shutil
import subprocess
from pathlib import Path

import pytest

SDK = "@trubrics/trubrics"
SDK_VERSION = "0.5.25"


def node(folders: pytest.TempPathFactory, *, with_sdk: bool) -> Path:
    """A folder in which node runs, with the SDK if asked for; the test is skipped where it is not to be had."""
    if not shutil.which("node"):
        pytest.skip("There is no Node.js here")
    folder = folders.mktemp("node")
    if with_sdk:
        npm = shutil.which("npm")
        if not npm:
            pytest.skip("There is no npm here")
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"{SDK}@{SDK_VERSION}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            pytest.skip("npm does not answer")
        if done.returncode:
            pytest.skip(f"npm has no {SDK} to give: {done.stderr[-300:]}")
    return folder
