"""Bytes to rows: lines, JSON documents, delimited text and Parquet, plain or compressed, told apart by content.

The only module that reads raw bytes, a block at a time, in bounded memory. What cannot be read comes as a refusal in
its place, so that bad input never loses good input.
"""

import gzip
import itertools
import zlib
from collections.abc import Iterator
from typing import IO, cast

from backports import zstd

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import RAW_LIMIT, Block, Lines, Record, Rows, text_record
from turret_pipeline.ingest.delimited import delimited_records
from turret_pipeline.ingest.json_documents import Chunk, document_records, opens_document
from turret_pipeline.ingest.parquet import parquet_records

BLOCK_BYTES, PIECE_BYTES = 8 << 20, 1 << 20
LINE_LIMIT = 32 << 20
"""Bytes that a line may have: what is longer is refused, so that no row fills the memory."""

BLOCK_RECORDS = 10_000
COMPRESSED = (".gz", ".zst")
_GZIP, _ZSTD, _PARQUET, _BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"\xef\xbb\xbf"
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)


def read_blocks(file: IO[bytes], name: str) -> Iterator[Block]:
    """The rows of a file that can seek, in order; its name tells only delimited text from JSON."""
    stem = name.lower()
    for ending in COMPRESSED:
        stem = stem.removesuffix(ending)
    head, content = _head(file), _content(file)
    if head == _PARQUET:
        yield from _batches(parquet_records(content, can_seek=content is file))
    elif stem.endswith((".csv", ".tsv")):
        lines = itertools.chain.from_iterable(map(_texts, _blocks(_chunks(content))))
        yield from _batches(delimited_records(lines, "\t" if stem.endswith(".tsv") else ","))
    else:
        yield from _json(_chunks(content))


def _content(file: IO[bytes]) -> IO[bytes]:
    """What a file holds, decompressed where its first bytes say that it is compressed."""
    head = file.read(4)
    file.seek(0)
    if head[:2] == _GZIP:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    return cast("IO[bytes]", zstd.ZstdFile(file)) if head == _ZSTD else file


def _head(file: IO[bytes]) -> bytes:
    """The first bytes of what a file holds; none where the compression is damaged, which reading on will tell."""
    try:
        return _content(file).read(4)
    except _DAMAGE:
        return b""
    finally:
        file.seek(0)


def _batches(records: Iterator[Record]) -> Iterator[Block]:
    while rows := list(itertools.islice(records, BLOCK_RECORDS)):
        yield Rows(rows)


def _texts(block: Block) -> Iterator[Record]:
    """Lines as text; refusals stay."""
    if isinstance(block, Rows):
        return block.records()
    return (text_record(number, line) for number, line in enumerate(block.split(), start=block.first_line))


def _json(chunks: Iterator[Chunk]) -> Iterator[Block]:
    """JSON lines, or documents where the first line with anything in it opens an array, or an object that goes on."""
    before: list[Chunk] = []
    for chunk in chunks:
        before.append(chunk)
        begin = b"" if isinstance(chunk, Rejection) else b"".join(chunk).lstrip()
        if begin:
            whole = itertools.chain(before, chunks)
            yield from _batches(document_records(whole)) if opens_document(begin) else _blocks(whole)
            return
    yield from _blocks(iter(before))


def _blocks(chunks: Iterator[Chunk]) -> Iterator[Block]:
    """Whole lines, about BLOCK_BYTES at a time; a line that is too long, and damage, are refusals in their places."""
    number, rest = 1, b""
    while (chunk := next(chunks, None)) is not None:
        data, rest = _cut(rest, [] if isinstance(chunk, Rejection) else chunk)
        if data:
            count = data.count(b"\n")
            yield Lines(number, count, data)
            number += count
        if isinstance(chunk, Rejection):
            yield Rows([Record(number, chunk, _shown(rest))])
            return
        if len(rest) > LINE_LIMIT:
            refusal, rest, damage = _too_long(number, rest, chunks)
            yield Rows([refusal])
            number += 1
            chunks = itertools.chain([damage] if damage else [], chunks)
    if rest:
        yield Lines(number, rest.count(b"\n") + (not rest.endswith(b"\n")), rest)


def _cut(begin: bytes, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """All lines that end in these bytes, and what is left of the last one; each byte is copied once."""
    end = pieces[-1].rfind(b"\n") + 1 if pieces else 0
    if end:
        return b"".join([begin, *pieces[:-1], memoryview(pieces[-1])[:end]]), pieces[-1][end:]
    data = b"".join([begin, *pieces])
    end = data.rfind(b"\n") + 1
    return data[:end], data[end:]


def _chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """The bytes of a file without a byte order mark, about BLOCK_BYTES at a time, in pieces.

    Of damaged compression what comes before, then a refusal.
    """
    pieces, size, is_first = list[bytes](), 0, True
    damage: Rejection | None = None
    try:
        while piece := file.read1(PIECE_BYTES):  # type: ignore[attr-defined]  # what a reader has decompressed so far
            piece, is_first = piece.removeprefix(_BOM) if is_first else piece, False
            pieces.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield pieces
                pieces, size = [], 0
    except _DAMAGE as error:
        damage = Rejection("damaged_file", f"The compressed file ends or breaks here: {error}.")
    if pieces:
        yield pieces
    if damage is not None:
        yield damage


def _too_long(number: int, begin: bytes, chunks: Iterator[Chunk]) -> tuple[Record, bytes, Rejection | None]:
    """The refusal of a line that goes on after ``begin``, what follows it, and damage met on the way."""
    size, damage, rest = len(begin), None, b""
    for chunk in chunks:
        if isinstance(chunk, Rejection):
            damage = chunk
            break
        data = b"".join(chunk)
        end = data.find(b"\n")
        if end >= 0:
            size, rest = size + end, data[end + 1 :]
            break
        size += len(data)
    reason = f"The line has {size:,} bytes: a row may have {LINE_LIMIT:,}."
    return Record(number, Rejection("row_too_long", reason), _shown(begin)), rest, damage


def _shown(data: bytes) -> str:
    return data[: 4 * RAW_LIMIT].decode("utf-8", "replace")
