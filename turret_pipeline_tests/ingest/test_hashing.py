"""Hash of a file, however it is read."""

import hashlib
import io

import pytest

from turret_pipeline.ingest.hashing import HashedFile

CONTENT = bytes(range(256)) * 9000


@pytest.mark.parametrize("steps", [[-1], [10, -1], [4, "start", 100, -1], ["end", 0, "start", 50], [], ["end"]])
def test_every_byte_is_hashed_once_in_its_order(steps: list[int | str]) -> None:
    file = HashedFile(io.BytesIO(CONTENT))
    for step in steps:
        if step == "start":
            file.seek(0)
        elif step == "end":
            file.seek(-8, io.SEEK_END)
        else:
            file.read(int(step))
    assert file.sha256() == hashlib.sha256(CONTENT).hexdigest()


def test_bytes_appended_after_the_end_was_read_do_not_count() -> None:
    inner = io.BytesIO(b"abc")
    file = HashedFile(inner)
    assert file.read() == b"abc"
    inner.seek(0, io.SEEK_END)
    inner.write(b"more")
    assert file.sha256() == hashlib.sha256(b"abc").hexdigest()


def test_an_empty_file_has_a_hash() -> None:
    assert HashedFile(io.BytesIO()).sha256() == hashlib.sha256(b"").hexdigest()
