"""Decompression of gzip bodies in time that grows with their size only, whatever they hold."""

import zlib

from turret_pipeline.collector.api_errors import INVALID_REQUEST, REQUEST_TOO_LARGE, ApiError
from turret_pipeline.collector.body_worker import Steps

MAX_MEMBERS = 10_000
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS  # 16 makes zlib expect gzip
_FIRST_PIECE_BYTES, _MAX_PIECE_BYTES = 1 << 9, 1 << 16
_MAX_PART_BYTES = 1 << 20


def decompress_gzip(raw: bytearray, max_bytes: int) -> Steps[bytes]:
    """All members of a gzip body, decompressed in steps.

    Raises ApiError if it is not gzip, has too many members, or decompresses to more than ``max_bytes``.
    """
    output, at, member_count = bytearray(), 0, 0
    try:
        while at < len(raw):
            if member_count == MAX_MEMBERS:
                raise ApiError(INVALID_REQUEST, f"The gzip body has more than {MAX_MEMBERS} members: send it as one.")
            member_count += 1
            at = yield from _decompress_member(raw, at, output, max_bytes)
    except zlib.error:
        raise ApiError(INVALID_REQUEST, "The body is not gzip, although Content-Encoding is gzip.") from None
    return bytes(output)


def body_too_large(max_bytes: int) -> ApiError:
    """Response to a body that is too large, before or after decompression."""
    return ApiError(
        REQUEST_TOO_LARGE, f"The body is larger than {max_bytes} bytes (setting max_body_mb): send less at a time."
    )


def _decompress_member(raw: bytearray, start: int, output: bytearray, max_bytes: int) -> Steps[int]:
    """Append a member to the output, and return its end.

    zlib copies the rest of a piece that it did not use. Pieces are no longer than what the member has used before, so
    the copies add up to the size of the body at most.
    """
    member, at = zlib.decompressobj(_GZIP_WINDOW_BITS), start
    while not member.eof:
        piece = raw[at : at + min(max(_FIRST_PIECE_BYTES, at - start), _MAX_PIECE_BYTES)]
        part = member.decompress(piece, _MAX_PART_BYTES)
        output += part
        at += len(piece) - len(member.unconsumed_tail) - len(member.unused_data)
        if len(output) > max_bytes:
            raise body_too_large(max_bytes)
        if not (piece or part or member.eof):
            raise ApiError(INVALID_REQUEST, "The gzip body ends too early.")
        yield
    return at
