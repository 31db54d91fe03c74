"""The hash of a file's bytes, taken while they are read for something else."""

import hashlib
import io
from typing import IO

STEP = 1 << 20


class HashedFile(io.RawIOBase):
    """A file whose bytes are hashed once each, in order, however it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._at_end = False

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer, and hash what was not hashed yet."""
        begin = self._file.tell()
        size: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        if begin <= self._hashed < begin + size:
            self._hash.update(memoryview(buffer)[self._hashed - begin : size])
            self._hashed = begin + size
        self._at_end = self._at_end or (not size and begin == self._hashed)
        return size

    def sha256(self) -> str:
        """Hash of all bytes; what a file grows by after it was read to its end does not count."""
        if not self._at_end:
            self._file.seek(self._hashed)
            while data := self._file.read(STEP):
                self._hash.update(data)
        return self._hash.hexdigest()
