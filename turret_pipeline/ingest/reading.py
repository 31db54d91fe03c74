"""Rows of files: JSON lines, JSON documents, delimited text, Parquet, XES and spans in protobuf, plain or compressed.

This is the only module that reads raw bytes. It reads a block at a time, in bounded memory. Input that cannot be read
becomes a rejection at its position, so that bad input never loses good input.
"""

import codecs
import gzip
import itertools
import zlib
from collections.abc import Iterator
from typing import IO, cast

from backports import zstd

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import RAW_LIMIT, Block, Lines, Record, Rows, text_record
from turret_pipeline.ingest.delimited import delimited_records
from turret_pipeline.ingest.enriched_lines import enriched_records, is_enriched_line
from turret_pipeline.ingest.json_documents import Chunk, document_records, is_document_start
from turret_pipeline.ingest.parquet import parquet_records
from turret_pipeline.ingest.protobuf import ENDINGS, has_sizes, protobuf_records
from turret_pipeline.ingest.xes import is_log_start, xes_records

BLOCK_BYTES, PIECE_BYTES = 8 << 20, 1 << 20
BEGIN_BYTES = 1 << 14
"""Bytes of a file that tell its format."""

LINE_LIMIT = 32 << 20
"""Maximum bytes of a line. A longer one is rejected, so that no row fills the memory."""

BLOCK_RECORDS = 10_000
COMPRESSED = (".gz", ".zst")
_GZIP, _ZSTD, _PARQUET, _BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"\xef\xbb\xbf"
SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ZIP, _OLD_EXCEL, _ZIP_SPREADSHEETS = (
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    (b"xl/", b"[Content_Types].xml", b"spreadsheet"),
)
_DECOMPRESSION_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)


def read_blocks(file: IO[bytes], name: str) -> Iterator[Block]:
    """Blocks of the rows of a seekable file, in order.

    The content tells the format and the compression; the name tells delimited text and protobuf from JSON.
    """
    stem = name.lower()
    for ending in COMPRESSED:
        stem = stem.removesuffix(ending)
    head, content = _read_head(file), _decompress(file)
    if rejection := _reject_other_file(head, name, stem):
        yield Rows([Record(1, rejection, "")])
    elif head.startswith(_PARQUET):
        yield from _row_blocks(parquet_records(content, can_seek=content is file))
    elif stem.endswith(".xes") or is_log_start(head.removeprefix(_BOM)):
        yield from _row_blocks(xes_records(_read_chunks(content, b"")))
    elif is_enriched_line(head.removeprefix(_BOM)):
        yield from _row_blocks(enriched_records(_text_lines(content, head)))
    elif has_sizes(head) or (stem.endswith(ENDINGS) and head[:1] not in {b"{", b"["}):
        yield from _row_blocks(protobuf_records(content, head))
    elif stem.endswith((".csv", ".tsv")):
        yield from _row_blocks(delimited_records(_text_lines(content, head), "\t" if stem.endswith(".tsv") else ","))
    else:
        yield from _json_blocks(_read_chunks(content, head))


def read_lines_from(file: IO[bytes], start: int, first_line: int) -> Iterator[Block]:
    """Blocks of the JSON lines of a file that ``is_appendable``, from the place at which ``first_line`` begins."""
    file.seek(start)
    return _line_blocks(_read_chunks(file, b""), first_line)


def is_appendable(file: IO[bytes], name: str) -> bool:
    """True if the file holds plain JSON lines, to which lines can be appended without a change of the others."""
    head = _read_head(file)
    is_plain = _decompress(file) is file and _find_wide_encoding(head) is None
    begin, stem = head.removeprefix(_BOM), name.lower()
    is_other = (
        _reject_other_file(head, name, stem) is not None
        or head.startswith(_PARQUET)
        or stem.endswith((".xes", ".csv", ".tsv", *ENDINGS))
        or is_log_start(begin)
        or is_enriched_line(begin)
        or has_sizes(head)
    )
    file.seek(0)
    return is_plain and not is_other and bool(begin.strip()) and not is_document_start(begin.lstrip())


def _decompress(file: IO[bytes]) -> IO[bytes]:
    """The content of a file, decompressed if its first bytes are those of a compressed file."""
    head = file.read(4)
    file.seek(0)
    if head[:2] == _GZIP:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    return cast("IO[bytes]", zstd.ZstdFile(file)) if head == _ZSTD else file


def _read_head(file: IO[bytes]) -> bytes:
    """First bytes of the content, up to damage of its compression; reading on reports the damage."""
    begin, content = b"", _decompress(file)
    try:
        while len(begin) < BEGIN_BYTES and (piece := content.read1(BEGIN_BYTES)):  # type: ignore[attr-defined]
            begin += piece
    except _DECOMPRESSION_ERRORS:
        pass
    finally:
        file.seek(0)
    return begin


def _reject_other_file(head: bytes, name: str, stem: str) -> Rejection | None:
    """The rejection of a file of a kind that has no rows of text."""
    is_zip = head.startswith(_ZIP)
    is_spreadsheet = head.startswith(_OLD_EXCEL) or (is_zip and any(part in head for part in _ZIP_SPREADSHEETS))
    if is_spreadsheet or stem.endswith(SPREADSHEETS):
        return Rejection("excel_file", f"{name} is a spreadsheet: save the sheet as CSV UTF-8, and read that file.")
    if is_zip:
        return Rejection("zip_file", f"{name} is a zip archive: extract it, and read the files in it.")
    return None


def _find_wide_encoding(head: bytes) -> str | None:
    """The encoding of text in two bytes per character ("Unicode text" of Excel), by its mark or its zeros."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    is_zero = [not byte for byte in head[:4]]
    if is_zero == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if is_zero == [True, False, True, False] else None


def _row_blocks(records: Iterator[Record]) -> Iterator[Block]:
    while rows := list(itertools.islice(records, BLOCK_RECORDS)):
        yield Rows(rows)


def _text_lines(content: IO[bytes], head: bytes) -> Iterator[Record]:
    return itertools.chain.from_iterable(map(_text_records, _line_blocks(_read_chunks(content, head))))


def _text_records(block: Block) -> Iterator[Record]:
    """Lines as text; rejections stay as they are."""
    if isinstance(block, Rows):
        return block.records()
    return (text_record(number, line) for number, line in enumerate(block.split(), start=block.first_line))


def _json_blocks(chunks: Iterator[Chunk]) -> Iterator[Block]:
    """Items of JSON documents if the first line that is not blank starts one, else JSON lines."""
    before: list[Chunk] = []
    for chunk in chunks:
        before.append(chunk)
        begin = b"" if isinstance(chunk, Rejection) else b"".join(chunk).lstrip()
        if begin:
            whole = itertools.chain(before, chunks)
            yield from _row_blocks(document_records(whole)) if is_document_start(begin) else _line_blocks(whole)
            return
    yield from _line_blocks(iter(before))


def _line_blocks(chunks: Iterator[Chunk], first_line: int = 1) -> Iterator[Block]:
    """Whole lines, about BLOCK_BYTES at a time. Lines that are too long, and damage, are rejections."""
    number, rest = first_line, b""
    while (chunk := next(chunks, None)) is not None:
        data, rest = _split_after_last_line(rest, [] if isinstance(chunk, Rejection) else chunk)
        if data:
            count = data.count(b"\n")
            yield Lines(number, count, data)
            number += count
        if isinstance(chunk, Rejection):
            yield Rows([Record(number, chunk, _raw_text(rest))])
            return
        if len(rest) > LINE_LIMIT:
            rejected, rest, damage = _skip_long_line(number, rest, chunks)
            yield Rows([rejected])
            number += 1
            chunks = itertools.chain([damage] if damage else [], chunks)
    if rest:
        yield Lines(number, rest.count(b"\n") + (not rest.endswith(b"\n")), rest)


def _split_after_last_line(begin: bytes, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """All lines that end in these bytes, and the begin of the next one. Each byte is copied once."""
    end = pieces[-1].rfind(b"\n") + 1 if pieces else 0
    if end:
        return b"".join([begin, *pieces[:-1], memoryview(pieces[-1])[:end]]), pieces[-1][end:]
    data = b"".join([begin, *pieces])
    end = data.rfind(b"\n") + 1
    return data[:end], data[end:]


def _read_chunks(file: IO[bytes], head: bytes) -> Iterator[Chunk]:
    """UTF-8 of a file that starts with ``head``, without byte order mark, in pieces, about BLOCK_BYTES at a time.

    Half a character of UTF-16 becomes bytes that are not UTF-8, so that only its row is rejected. If the compression
    is damaged, the bytes before the damage are followed by a rejection.
    """
    pieces, size, is_first = list[bytes](), 0, True
    encoding = _find_wide_encoding(head)
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass") if encoding else None
    damage: Rejection | None = None
    try:
        while piece := file.read1(PIECE_BYTES):  # type: ignore[attr-defined]  # returns bytes as they are decompressed
            if decoder is not None:
                piece = decoder.decode(piece).encode("utf-8", "surrogatepass")
            piece, is_first = piece.removeprefix(_BOM) if is_first else piece, False
            pieces.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield pieces
                pieces, size = [], 0
    except _DECOMPRESSION_ERRORS as error:
        damage = Rejection("damaged_file", f"The compressed file ends or breaks here: {error}.")
    if pieces:
        yield pieces
    if damage is not None:
        yield damage


def _skip_long_line(number: int, begin: bytes, chunks: Iterator[Chunk]) -> tuple[Record, bytes, Rejection | None]:
    """The rejected line that starts with ``begin``, the bytes after it, and damage that ended the reading."""
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
    return Record(number, Rejection("row_too_long", reason), _raw_text(begin)), rest, damage


def _raw_text(data: bytes) -> str:
    return data[: 4 * RAW_LIMIT].decode("utf-8", "replace")
