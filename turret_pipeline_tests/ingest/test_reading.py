"""Records and rejections of files."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Lines
from turret_pipeline.ingest.reading import BLOCK_BYTES, LINE_LIMIT, read_blocks
from turret_pipeline_tests.events.files import A, B, C, read_outcomes, read_records, read_values, write_file

LINES = b'{"name":"a"}\n{"name":"b"}\n{"name":"c"}\n'


def test_json_lines_keep_line_numbers_and_skip_blank_lines(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'{"name":"a"}\n\n  \n{"name":"b"}')
    assert read_outcomes(path) == [(1, A), (4, B)]


@pytest.mark.parametrize("content", [b"", b" \n\n", b"[]", b"\xef\xbb\xbf"])
def test_a_file_without_content_has_no_rows(tmp_path: Path, content: bytes) -> None:
    assert read_outcomes(write_file(tmp_path, "a.json", content)) == []


def test_a_byte_order_mark_and_windows_line_ends_are_ignored(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"name":"a"}\r\n{"name":"b"}\r\n')
    assert read_outcomes(path) == [(1, A), (2, B)]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl", "a"])
def test_compression_is_detected_by_content(tmp_path: Path, name: str) -> None:
    assert read_outcomes(write_file(tmp_path, name, gzip.compress(LINES))) == [(1, A), (2, B), (3, C)]


def test_a_plain_file_may_have_the_name_of_a_compressed_one(tmp_path: Path) -> None:
    assert read_outcomes(write_file(tmp_path, "a.jsonl.gz", LINES)) == [(1, A), (2, B), (3, C)]


def test_a_line_that_is_not_json_is_rejected_with_its_text(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'{"name":"a"}\n{"name":\n{"name":"c"}\n')
    assert read_outcomes(path) == [(1, A), (2, "invalid_json"), (3, C)]
    assert [record.raw for record in read_records(path)][1] == '{"name":'


def test_empty_members_between_others_are_skipped(tmp_path: Path) -> None:
    members = [gzip.compress(line + b"\n") + gzip.compress(b"") * 1000 for line in LINES.splitlines()]
    assert read_outcomes(write_file(tmp_path, "a.jsonl.gz", b"".join(members))) == [(1, A), (2, B), (3, C)]


def test_values_that_no_table_can_hold_are_repaired(tmp_path: Path) -> None:
    lines = b'{"name":"cut \\ud83d"}\n{"name":[1e400,-Infinity]}\n{"name":"c"}\n'
    expected = [({"name": "cut \ufffd"}, 1), ({"name": [None, None]}, 2), (C, 0)]
    records = read_records(write_file(tmp_path, "a.jsonl", lines))
    assert [(record.value, record.repaired_count) for record in records] == expected
    cells = b'name,metadata\na,"{""n"":1e400}"\n'
    (record,) = read_records(write_file(tmp_path, "a.csv", cells))
    assert (record.value, record.repaired_count) == ({"name": "a", "metadata": {"n": None}}, 1)
    pq.write_table(pa.table({"name": ["a"], "metadata": ['{"n": 1e400}']}), tmp_path / "a.parquet")
    (record,) = read_records(tmp_path / "a.parquet")
    assert (record.value, record.repaired_count) == ({"name": "a", "metadata": {"n": None}}, 1)


def test_a_line_that_is_not_utf8_is_rejected(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'{"name":"a"}\n{"name":"\xff"}\n{"name":"c"}\n')
    assert read_outcomes(path) == [(1, A), (2, "invalid_encoding"), (3, C)]


def test_a_first_line_that_is_not_utf8_does_not_change_how_the_others_are_read(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'{"name":"\xff"}\n{"name":"a"}\nnot json\n{"name":"c"}\n')
    assert read_outcomes(path) == [(1, "invalid_encoding"), (2, A), (3, "invalid_json"), (4, C)]


def test_cut_compression_gives_the_lines_before_the_cut_and_one_rejection(tmp_path: Path) -> None:
    lines = b"".join(json.dumps({"name": f"{number:04}"}).encode() + b"\n" for number in range(500))
    found = read_outcomes(write_file(tmp_path, "a.jsonl.gz", gzip.compress(lines)[:-200]))
    assert found[-1] == (len(found), "damaged_file")
    assert len(found) > 2
    assert found[:-1] == [(number + 1, {"name": f"{number:04}"}) for number in range(len(found) - 1)]


def test_a_gzip_header_followed_by_rubbish_is_one_rejection(tmp_path: Path) -> None:
    assert read_outcomes(write_file(tmp_path, "a.jsonl.gz", b"\x1f\x8b rubbish")) == [(1, "damaged_file")]


def test_a_first_line_that_looks_like_an_array_costs_only_itself(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'[2024-05-01 12:00] export started\n{"name":"b"}\n[1\n{"name":"c"}\n')
    assert read_outcomes(path) == [(1, "invalid_json"), (2, B), (3, "invalid_json"), (4, C)]


def test_csv_rows_lose_empty_cells_and_get_their_metadata_parsed(tmp_path: Path) -> None:
    content = b'name, user_id ,metadata\na,u1,"{""plan"": ""pro""}"\n\nb,,\nc,u3,{}\n'
    assert read_outcomes(write_file(tmp_path, "a.csv", content)) == [
        (2, {"name": "a", "user_id": "u1", "metadata": {"plan": "pro"}}),
        (4, {"name": "b"}),
        (5, {"name": "c", "user_id": "u3", "metadata": {}}),
    ]


def test_blank_lines_before_the_header_are_skipped(tmp_path: Path) -> None:
    assert read_values(write_file(tmp_path, "a.csv", b"\n\nname\na\n")) == [A]


def test_csv_cells_may_hold_quotes_commas_and_new_lines(tmp_path: Path) -> None:
    content = 'name,prompt\r\na,"He said ""hé"", then\nleft"\r\nb,plain\r\n'.encode()
    expected: Sequence[object] = [{"name": "a", "prompt": 'He said "hé", then\nleft'}, {"name": "b", "prompt": "plain"}]
    assert read_values(write_file(tmp_path, "a.csv", content)) == expected
    assert read_values(write_file(tmp_path, "b.csv.gz", gzip.compress(b"\xef\xbb\xbf" + content))) == expected


def test_tabs_separate_the_cells_of_a_tsv(tmp_path: Path) -> None:
    assert read_values(write_file(tmp_path, "a.tsv", b"name\tuser_id\na,b\tu1\n")) == [{"name": "a,b", "user_id": "u1"}]


CELLS = [{"name": "a", "n": "0.5", "note": "x, y"}, {"name": "b", "n": "1234.25", "note": "say; 1,5 | 2\tand"}]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header_and_the_rows(
    tmp_path: Path, name: str, start: str, end: str, delimiter: str
) -> None:
    text = io.StringIO()
    rows = [list(row.values()) for row in CELLS]
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows([list(CELLS[0]), *rows])
    content = text.getvalue()
    if delimiter == ";":  # where the comma is the decimal sign
        content = content.replace("0.5", "0,5").replace("1234.25", "1234,25")
    assert read_values(write_file(tmp_path, name, (start + content).encode())) == CELLS


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("sep=;\r\nname\r\na\r\nb,c\r\n", [A, {"name": "b,c"}]),
        ('"sep=|"\nname|n\na|1,5\n', [{"name": "a", "n": "1,5"}]),
        (
            "name;amount, EUR\na;1,5\nb;-2,25\n",
            [{"name": "a", "amount, EUR": "1.5"}, {"name": "b", "amount, EUR": "-2.25"}],
        ),
        ("name,note\na,x;y;z\nb,u;v;w\n", [{"name": "a", "note": "x;y;z"}, {"name": "b", "note": "u;v;w"}]),
        ("name\na\nb;c\nd;e\n", [A, {"name": "b;c"}, {"name": "d;e"}]),
        ('name;note\na;"two\nlines, or; so"\n', [{"name": "a", "note": "two\nlines, or; so"}]),
        ("name;n\n" + "a;1,5\n" * 60, [{"name": "a", "n": "1.5"}] * 60),
        ("name;n\n", []),
    ],
)
def test_the_header_decides_what_separates_cells(tmp_path: Path, content: str, rows: list[object]) -> None:
    assert read_values(write_file(tmp_path, "a.csv", content.encode())) == rows


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_utf16_is_read(tmp_path: Path, encoding: str) -> None:
    table = "name\tprompt\r\na\thé 😀\r\n".encode(encoding)
    assert read_values(write_file(tmp_path, "a.csv", table)) == [{"name": "a", "prompt": "hé 😀"}]
    lines = '{"name":"a","prompt":"hé 😀"}\n{"name":"b"}\n'.encode(encoding)
    for content in (lines, gzip.compress(lines)):
        assert read_values(write_file(tmp_path, "a.jsonl", content)) == [{"name": "a", "prompt": "hé 😀"}, B]
    assert read_values(
        write_file(tmp_path, "a.json", f"[{lines.decode(encoding).splitlines()[1]}]".encode(encoding))
    ) == [B]


def test_half_a_character_of_utf16_costs_its_line(tmp_path: Path) -> None:
    content = '{"name":"a"}\n{"name":"\ud83d"}\n{"name":"c"}\n'.encode("utf-16", "surrogatepass")
    assert read_outcomes(write_file(tmp_path, "a.jsonl", content)) == [(1, A), (2, "invalid_encoding"), (3, C)]


def zip_of(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("book.xlsx", zip_of("[Content_Types].xml", "xl/workbook.xml"), "excel_file"),
        ("book.csv", zip_of("[Content_Types].xml", "xl/workbook.xml"), "excel_file"),
        ("book.jsonl.gz", gzip.compress(zip_of("mimetype-spreadsheet", "content.xml")), "excel_file"),
        ("book.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "excel_file"),
        ("book.XLS", b"name\tn\na\t1\n", "excel_file"),
        ("book.ods", b"", "excel_file"),
        ("dump.jsonl", zip_of("dump.jsonl"), "zip_file"),
    ],
)
def test_spreadsheets_and_archives_are_rejected_with_the_remedy(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (record,) = read_records(write_file(tmp_path, name, content))
    assert isinstance(record.value, Rejection)
    assert (record.line_number, record.value.code) == (1, code)
    assert str(record.value).startswith(f"{name} is a ")
    assert ("save the sheet as CSV" in str(record.value)) == (code == "excel_file")


def test_csv_rows_of_another_width_or_with_bad_metadata_are_rejected(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.csv", b"name,metadata\na\nb,{}\nc,{},x\nd,{oops\ne,\n")
    assert read_outcomes(path) == [
        (2, "invalid_csv"),
        (3, {"name": "b", "metadata": {}}),
        (4, "invalid_csv"),
        (5, "invalid_metadata"),
        (6, {"name": "e"}),
    ]
    rejected = list(read_records(path))[2]
    assert (str(rejected.value), rejected.raw) == ("The row has 3 cells, the header 2.", "c,{},x")


def test_an_unclosed_quote_costs_only_its_line(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.csv", b'name\na\n"b\nc\n')
    assert read_outcomes(path) == [(2, A), (3, "invalid_csv"), (4, C)]
    assert list(read_records(path))[1].raw == '"b'


def test_csv_lines_that_are_not_utf8_are_rejected_and_the_others_kept(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.csv", b"name\na\n\xff\nc\n")
    assert sorted(read_outcomes(path), key=lambda row: row[0]) == [(2, A), (3, "invalid_encoding"), (4, C)]


def test_a_gzipped_parquet_file_is_read(tmp_path: Path) -> None:
    pl.DataFrame({"name": ["a", "c"]}).write_parquet(tmp_path / "a.parquet")
    path = write_file(tmp_path, "a.parquet.gz", gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert read_values(path) == [A, C]


def test_a_csv_header_that_is_not_utf8_does_not_make_the_first_row_the_header(tmp_path: Path) -> None:
    found = read_values(write_file(tmp_path, "a.csv", b"name,caf\xe9\na,1\nb,2\n"))
    assert {"a": "b", "1": "2"} not in found


@pytest.mark.parametrize("content", [b"", b"name,user_id\n"])
def test_a_csv_without_rows_has_no_records(tmp_path: Path, content: bytes) -> None:
    assert read_outcomes(write_file(tmp_path, "a.csv", content)) == []


def test_parquet_rows_keep_structs_and_lists_and_lose_nulls(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [
        {"name": "a", "user_id": None, "metadata": {"plan": "pro", "tags": ["x", "y"]}},
        {"name": "b", "user_id": "u2", "metadata": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert read_outcomes(path) == [
        (1, {"name": "a", "metadata": {"plan": "pro", "tags": ["x", "y"]}}),
        (2, {"name": "b", "user_id": "u2"}),
    ]


def test_parquet_metadata_may_be_json_text(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    pq.write_table(pa.table({"name": ["a", "b"], "metadata": ['{"n": 1}', "{oops"]}), path)
    assert read_outcomes(path) == [(1, {"name": "a", "metadata": {"n": 1}}), (2, "invalid_metadata")]


def test_parquet_without_rows_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"name": pa.array([], pa.string())}), path)
    assert read_outcomes(path) == []


def test_damaged_parquet_is_one_rejection(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"name": ["a"]}), path)
    assert read_outcomes(write_file(tmp_path, "b.parquet", path.read_bytes()[:-20])) == [(1, "damaged_file")]


def zstd_compress(content: bytes) -> bytes:
    return zstd.compress(content)


def test_zstd_is_detected_by_content_and_its_damage_is_one_rejection(tmp_path: Path) -> None:
    assert read_outcomes(write_file(tmp_path, "a.jsonl.zst", zstd_compress(LINES))) == [(1, A), (2, B), (3, C)]
    assert read_outcomes(write_file(tmp_path, "b.jsonl", zstd_compress(LINES) * 2)) == [
        (n + 1, (A, B, C)[n % 3]) for n in range(6)
    ]
    noise = json.dumps({"name": "".join(chr(97 + (n * n) % 26) for n in range(5000))}).encode() + b"\n"
    assert read_values(write_file(tmp_path, "c.jsonl.zst", zstd_compress(noise)[:-8]))[-1] == "damaged_file"


def test_line_numbers_continue_across_blocks(tmp_path: Path) -> None:
    line = b'{"name":"' + b"x" * 1000 + b'"}\n'
    count = 3 * BLOCK_BYTES // len(line) + 3
    path = write_file(tmp_path, "a.jsonl", line * count)
    with path.open("rb") as file:
        blocks = list(read_blocks(file, path.name))
    assert len(blocks) > 2
    assert next(block.first_line for block in blocks if isinstance(block, Lines)) == 1
    assert [record.line_number for block in blocks for record in block.records()] == list(range(1, count + 1))


def test_a_too_long_line_is_rejected_and_its_neighbours_are_not(tmp_path: Path) -> None:
    path = write_file(
        tmp_path, "a.jsonl", b'{"name":"a"}\n"' + b"x" * (LINE_LIMIT + BLOCK_BYTES) + b'"\n{"name":"c"}\n'
    )
    assert read_outcomes(path) == [(1, A), (2, "row_too_long"), (3, C)]
    reason = str(read_records(path)[1].value)
    assert reason == f"The line has {LINE_LIMIT + BLOCK_BYTES + 2:,} bytes: a row may have {LINE_LIMIT:,}."


def test_a_too_long_line_may_be_the_last(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl", b'{"name":"a"}\n"' + b"x" * (LINE_LIMIT + BLOCK_BYTES))
    assert read_outcomes(path) == [(1, A), (2, "row_too_long")]


def test_lines_between_a_too_long_line_and_damage_are_kept(tmp_path: Path) -> None:
    lines = b'{"name":"' + b"x" * (LINE_LIMIT + BLOCK_BYTES) + b'"}\n' + b'{"name":"c"}\n' * 1000
    path = write_file(tmp_path, "a.jsonl.gz", gzip.compress(lines, 1)[:-8])
    found = read_outcomes(path)
    assert found[0] == (1, "row_too_long")
    assert found[1:1001] == [(number, C) for number in range(2, 1002)]
    assert found[1001:] == [(1002, "damaged_file")]


def test_an_unclosed_quote_does_not_read_a_long_file_into_memory(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.csv", b'name\n"open\n' + b"b\n" * 20_000)
    found = read_outcomes(path)
    assert found[0] == (2, "invalid_csv")
    assert len(found) == 20_001
    assert found[-1] == (20_002, B)


def test_only_the_parquet_row_with_a_value_that_python_lacks_is_rejected(tmp_path: Path) -> None:
    far = pa.array([0, 2**60, 0], pa.int64()).cast(pa.timestamp("us"))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"name": ["a", "b", "c"], "at": far}), path)
    found = read_outcomes(path)
    assert [number for number, _ in found] == [1, 2, 3]
    assert [value for _, value in found][1] == "invalid_value"
