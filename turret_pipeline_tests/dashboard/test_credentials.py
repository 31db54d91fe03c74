"""Credentials of a running dashboard while the file changes."""

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

import pytest

from turret_pipeline.dashboard.credentials import CredentialFile, Credentials, CurrentCredentials


def test_a_slow_reader_does_not_bring_back_a_removed_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, read = CredentialFile(tmp_path), CredentialFile.read
    has_read, may_end = Event(), Event()

    def read_slowly(self: CredentialFile) -> Credentials:
        found = read(self)
        if "tom" in found.by_name and not has_read.is_set():
            has_read.set()
            may_end.wait(60)
        return found

    current = CurrentCredentials(file)
    file.add_token("tom", "admin")
    monkeypatch.setattr(CredentialFile, "read", read_slowly)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(current.get)
        assert has_read.wait(60)
        file.remove("tom")
        wait([pool.submit(current.get)], timeout=0.2)
        may_end.set()
    assert current.get().by_name == {}
