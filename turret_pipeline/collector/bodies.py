"""Bodies of requests within limits: bytes, seconds, memory, and what a compressed one unfolds to."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from starlette.requests import ClientDisconnect, Request

from turret_pipeline.collector.problems import (
    INVALID_REQUEST,
    OVERLOADED,
    REQUEST_TIMEOUT,
    REQUEST_TOO_LARGE,
    Problem,
)
from turret_pipeline.collector.settings import MEGABYTE, CollectorSettings

JSON, NDJSON = "application/json", "application/x-ndjson"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_INLINE_BYTES = 1 << 16


class Bodies:
    """Reads bodies. Those of a worker share one budget of memory, so that many large ones cannot fill the machine."""

    def __init__(self, settings: CollectorSettings) -> None:
        self._most = settings.max_body_bytes
        self._seconds = settings.body_seconds
        self._budget = int(settings.max_pending_mb * MEGABYTE)

    @asynccontextmanager
    async def of(self, request: Request, *, may_be_gzip: bool = False) -> AsyncIterator[bytes]:
        """The body of a request, decompressed where allowed; its memory counts until the block ends. Raises Problem."""
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding != "identity" and not (may_be_gzip and encoding == "gzip"):
            verdict = "gzip is the only encoding" if may_be_gzip else "this path takes none"
            raise Problem(INVALID_REQUEST, f"The Content-Encoding cannot be used here: {verdict}.")
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._most:
            raise self._too_large()
        taken = 0
        try:
            body = bytearray()
            async for chunk in self._chunks(request):
                taken += self._take(len(chunk))
                body += chunk
                if len(body) > self._most:
                    raise self._too_large()
            if encoding == "gzip":
                taken += self._take(self._most)
                yield await self._unfolded(bytes(body))
            else:
                yield bytes(body)
        finally:
            self._budget += taken

    async def _chunks(self, request: Request) -> AsyncIterator[bytes]:
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    yield chunk
        except TimeoutError:
            raise Problem(REQUEST_TIMEOUT, f"The body did not arrive within {self._seconds:g} seconds.") from None
        except ClientDisconnect:
            raise Problem(INVALID_REQUEST, "The body did not arrive whole.") from None

    def _take(self, size: int) -> int:
        if size > self._budget:
            raise Problem(OVERLOADED, "Too much is being received at the moment: send it again.", retry_after=1)
        self._budget -= size
        return size

    async def _unfolded(self, raw: bytes) -> bytes:
        if len(raw) <= _INLINE_BYTES:
            return self._gunzip(raw)
        return await asyncio.to_thread(self._gunzip, raw)

    def _gunzip(self, raw: bytes) -> bytes:
        """All members of a gzip body, never more than the limit of them in memory."""
        parts, left = [], self._most + 1
        try:
            while raw:
                member = zlib.decompressobj(_GZIP_WINDOW)
                part = member.decompress(raw, left)
                parts.append(part)
                left -= len(part)
                if left <= 0:
                    raise self._too_large()
                if not member.eof:
                    raise Problem(INVALID_REQUEST, "The gzip body ends too early.")
                raw = member.unused_data
        except zlib.error:
            raise Problem(INVALID_REQUEST, "The body is not gzip, though Content-Encoding says so.") from None
        return b"".join(parts)

    def _too_large(self) -> Problem:
        return Problem(REQUEST_TOO_LARGE, f"The body is larger than {self._most} bytes: send less at a time.")


def media_type(request: Request) -> str:
    """The content type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parsed(body: bytes) -> object:
    """The JSON value of a body. Raises Problem."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(INVALID_REQUEST, f"The body is not JSON: {error}.") from None
