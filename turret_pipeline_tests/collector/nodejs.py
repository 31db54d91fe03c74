"""Node.js and Trubrics' SDK from npm, if they are installed or can be downloaded."""

import shutil
import subprocess
from pathlib import Path

import pytest

SDK = "@trubrics/trubrics"
SDK_VERSION = "0.5.25"


def set_up_node(folders: pytest.TempPathFactory, *, with_sdk: bool) -> Path:
    """Folder in which node runs, with the SDK if ``with_sdk``. Skip the test if node or the SDK is not available."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed")
    folder = folders.mktemp("node")
    if with_sdk:
        npm = shutil.which("npm")
        if not npm:
            pytest.skip("npm is not installed")
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"{SDK}@{SDK_VERSION}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            pytest.skip("npm does not answer")
        if done.returncode:
            pytest.skip(f"npm cannot install {SDK}: {done.stderr[-300:]}")
    return folder
