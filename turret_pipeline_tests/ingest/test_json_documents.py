"""Items of JSON documents, and items lost to damage."""

import gzip
import json
from pathlib import Path

import pytest

from turret_pipeline.events.formats import Rejection
from turret_pipeline.ingest.json_documents import ITEM_LIMIT
from turret_pipeline.ingest.reading import BLOCK_BYTES, LINE_LIMIT, read_blocks
from turret_pipeline_tests.events.files import A, B, C, read_outcomes, read_records, read_values, write_file


@pytest.mark.parametrize(
    "content",
    [
        b'[{"name":"a"},{"name":"b"},{"name":"c"}]',
        b'[\n  {\n    "name": "a"\n  },\n  {"name": "b"}, {"name": "c"}\n]\n',
        b'\xef\xbb\xbf[{"name":"a"},\n{"name":"b"},{"name":"c"}]',
        b'[{"name":"a"},{"name":"b"}]\n[]\n[{"name":"c"}]\n',
        b'[{"name":"a"}][{"name":"b"},{"name":"c"}]',
        b'{\n"name": "a"\n}\n{\n"name": "b"\n}\n{\n"name": "c"\n}',
    ],
)
def test_arrays_and_objects_over_many_lines_are_read_item_by_item(tmp_path: Path, content: bytes) -> None:
    assert read_outcomes(write_file(tmp_path, "a.json", content)) == [(1, A), (2, B), (3, C)]


def test_integers_of_any_length_cost_no_neighbour(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.json", b'[{"name":"a"},{"name":' + b"9" * 5000 + b'},{"name":"c"}]')
    assert [value for value in read_values(path) if value in (A, C)] == [A, C]
    assert len(read_values(path)) == 3


def test_a_blank_line_before_an_array_changes_nothing(tmp_path: Path) -> None:
    assert read_values(write_file(tmp_path, "a.json", b'\n[{"name":"a"},\n{"name":"b"}]')) == [A, B]


def test_a_cut_array_gives_the_items_before_the_cut_and_one_rejection(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.json", b'[{"name":"a"},\n{"name":"b"},\n{"name":"c')
    assert read_outcomes(path) == [(1, A), (2, B), (3, "invalid_json")]
    assert [record.raw for record in read_records(path)][2] == '{"name":"c'


@pytest.mark.parametrize(
    "content",
    [
        b'[{"name:0},{"name":"b"},{"name":"c"}]',
        b'[{name:0},{"name":"b"},{"name":"c"}]',
        b'[{"x":oops},\n{"name":"b"},\n{"name":"c"}]',
        b'[\n  {"x":oops},\n  {"name":"b"},\n  {"name":"c"}\n]',
        b'[\n  \x00 {"name":"b"},\n  {"name":"c"}\n]',
    ],
)
def test_a_damaged_first_item_of_an_array_costs_no_neighbour(tmp_path: Path, content: bytes) -> None:
    assert read_outcomes(write_file(tmp_path, "a.json", content)) == [(1, "invalid_json"), (2, B), (3, C)]


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b'[{"name":"a"}, oops, {"name":"c"}]', "oops"),
        (b'[{"name":"a"},{"name":"b" "x":[{"name":1}]},{"name":"c"}]', '{"name":"b" "x":[{"name":1}]}'),
        (b'[{"name":"a"},\n{"name":"b,\n{"name":"c"}]', '{"name":"b'),
        (b'[{"name":"a"},{"name":1,"x":[{"name":1},{"name":2}],oops},{"name":"c"}]', None),
        (b'[{"name":"a"},{"name":1,"x":[{"name":1},{"name":2},oops},{"name":"c"}]', None),
        (b'[{"name":"a"},{"name":1,{"name":"c"}]', '{"name":1'),
        (b'[{"name":"a"},\n{"name":1,"x\t":[],\n{"name":"c"}]', None),
        (b'[\n{\n"name": "a"\n},\n{\n"x": [\n{\n"name": 1\n}\n],\noops\n},\n{\n"name": "c"\n}\n]', None),
        (b'[\n  {"name": "a"},\n"  {\n    "x": 1\n  },\n  {"name": "c"}\n]', None),
        (b'[\n  {\n    "name": "a"\n  },\n  {"x": [\n    {"name": 1}, oops},\n  {\n    "name": "c"\n  }\n]', None),
        (b'{\n "name": "a"\n}\n{\n "name": oops\n}\n{\n "name": "c"\n}', '{\n "name": oops\n}'),
    ],
)
def test_a_damaged_item_of_an_array_costs_no_neighbour(tmp_path: Path, content: bytes, damage: str | None) -> None:
    path = write_file(tmp_path, "a.json", content)
    assert read_outcomes(path) == [(1, A), (2, "invalid_json"), (3, C)]
    assert damage in (None, [record.raw for record in read_records(path)][1])


@pytest.mark.slow
def test_damaged_items_of_an_array_that_is_one_long_line_cost_no_neighbour(tmp_path: Path) -> None:
    good, bad = b'{"name":"' + b"y" * 700_000 + b'"}', b'{"name":"' + b"z" * 700_000 + b"}"
    count = 2 * max(ITEM_LIMIT, LINE_LIMIT) // (2 * len(good))
    path = write_file(tmp_path, "a.json", b"[" + b",".join([good, bad] * count) + b"]")
    found = [type(value) for value in read_values(path)]
    assert found == [dict, str] * count


def test_an_invalid_byte_in_an_array_costs_no_neighbour(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.json", b'[{"name":"a"},{"name":"\xff"},{"name":"c"}]')
    assert read_outcomes(path) == [(1, A), (2, "invalid_encoding"), (3, C)]
    assert [record.raw for record in read_records(path)][1] == '{"name":"\ufffd"}'


def test_text_after_damage_without_a_similar_item_belongs_to_one_rejection(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.json", b'[{"name":"a"}, {oops, {"title":"c"}]')
    assert read_outcomes(path) == [(1, A), (2, "invalid_json")]
    assert [record.raw for record in read_records(path)][1] == '{oops, {"title":"c"}]'


def test_a_number_of_an_array_is_one_row_wherever_a_block_ends(tmp_path: Path) -> None:
    blanks = b" " * (BLOCK_BYTES - len(b"[{},12"))
    found = read_outcomes(write_file(tmp_path, "a.json", b"[{}," + blanks + b'123456,{"name":"c"}]'))
    assert [value for _, value in found] == [{}, 123456, C]


def test_a_cut_compressed_array_gives_its_first_items_and_two_rejections(tmp_path: Path) -> None:
    items = b"[" + b",\n".join(json.dumps({"name": f"{number:04}"}).encode() for number in range(500)) + b"]"
    found = read_outcomes(write_file(tmp_path, "a.json.gz", gzip.compress(items)[:-200]))
    good = [value for _, value in found if isinstance(value, dict)]
    assert good == [{"name": f"{number:04}"} for number in range(len(good))]
    assert len(good) > 2
    assert "damaged_file" in [value for _, value in found]
    assert [number for number, _ in found] == list(range(1, len(found) + 1))


@pytest.mark.parametrize("content", [b"[" * 5000, b'{"name":' * 5000, b'[{"a":' * 2000])
def test_endless_nesting_is_rejected_and_does_not_stop_the_run(tmp_path: Path, content: bytes) -> None:
    assert read_values(write_file(tmp_path, "a.json", content)) == ["invalid_json"]


def test_values_of_an_array_that_no_table_can_hold_are_repaired(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.json", b'[{"name":"a"},{"name":NaN},\n{"name":"\\ud800"},{"name":"c"}]')
    assert read_outcomes(path) == [(1, A), (2, {"name": None}), (3, {"name": "\ufffd"}), (4, C)]
    assert [record.repaired_count for record in read_records(path)] == [0, 1, 1, 0]


def test_an_array_larger_than_a_block_is_read_item_by_item(tmp_path: Path) -> None:
    item = b'{"name":"' + b"y" * 5000 + b'"}'
    count = 2 * BLOCK_BYTES // len(item)
    path = write_file(tmp_path, "a.json", b"[" + b",\n".join([item] * count) + b"]")
    with path.open("rb") as file:
        blocks = [list(block.records()) for block in read_blocks(file, path.name)]
    assert [record.line_number for block in blocks for record in block] == list(range(1, count + 1))
    assert not any(isinstance(record.value, Rejection) for block in blocks for record in block)
