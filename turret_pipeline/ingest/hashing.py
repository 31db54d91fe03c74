"""Hashing of a file while it is read."""

import hashlib
import io
from pathlib import Path
from typing import IO

READ_BYTES = 1 << 20


class HashedFile(io.RawIOBase):
    """A file that hashes each of its bytes once, in order, however it is read; with a limit, only its first bytes.

    ``line_end`` is the place after the last line end among the hashed bytes.
    """

    def __init__(self, file: IO[bytes], limit: int | None = None) -> None:
        super().__init__()
        self._file, self._limit = file, limit
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._at_end = False
        self.line_end = 0

    @property
    def hashed_bytes(self) -> int:
        """Number of bytes that are hashed."""
        return self._hashed

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
        room = len(buffer) if self._limit is None else max(self._limit - begin, 0)
        size: int = self._file.readinto(memoryview(buffer)[:room])  # type: ignore[attr-defined]
        if begin <= self._hashed < begin + size:
            self._update(memoryview(buffer)[self._hashed - begin : size])
        self._at_end = self._at_end or (not size and begin == self._hashed)
        return size

    def sha256(self) -> str:
        """Hash of all bytes, without those appended after the file was read to its end."""
        if not self._at_end:
            self.seek(self._hashed)
            buffer = bytearray(READ_BYTES)
            while self.readinto(memoryview(buffer)):
                pass
        return self._hash.hexdigest()

    def sha256_until(self, size: int) -> str:
        """Hash of the first bytes, of which no more may have been hashed yet."""
        self.seek(self._hashed)
        buffer = bytearray(READ_BYTES)
        while self._hashed < size and self.readinto(memoryview(buffer)[: size - self._hashed]):
            pass
        return self._hash.hexdigest()

    def _update(self, data: memoryview) -> None:
        self._hash.update(data)
        end = bytes(data).rfind(b"\n")
        if end >= 0:
            self.line_end = self._hashed + end + 1
        self._hashed += len(data)


def hash_file(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
