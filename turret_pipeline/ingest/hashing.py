"""Hashing of a file while it is read."""

import hashlib
import io
from pathlib import Path
from typing import IO

READ_BYTES = 1 << 20


class HashedFile(io.RawIOBase):
    """A file that hashes each of its bytes once, in order, however it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._at_end = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The current position."""
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer, and hash the bytes that were not hashed yet."""
        begin = self._file.tell()
        size: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        if begin <= self._hashed < begin + size:
            self._hash.update(memoryview(buffer)[self._hashed - begin : size])
            self._hashed = begin + size
        self._at_end = self._at_end or (not size and begin == self._hashed)
        return size

    def sha256(self) -> str:
        """Hash of all bytes, without those appended after the file was read to its end."""
        if not self._at_end:
            self._file.seek(self._hashed)
            while data := self._file.read(READ_BYTES):
                self._hash.update(data)
        return self._hash.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
