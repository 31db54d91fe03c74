"""Lines of Snowplow's enriched stream."""

import gzip
from pathlib import Path

import pytest

from turret_pipeline.events.formats.snowplow import ENRICHED_COLUMNS
from turret_pipeline_tests.events.files import read_outcomes, write_file

ROW = {
    "app_id": "web",
    "platform": "web",
    "etl_tstamp": "2026-03-02 09:00:02.000",
    "collector_tstamp": "2026-03-02 09:00:01.000",
    "event": "unstruct",
    "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "page_title": '"Quoted" title, café',
    "unstruct_event": '{"data":{"schema":"iglu:com.acme/a/jsonschema/1-0-0","data":{"prompt":"Hi?"}}}',
    "event_name": "a",
}
LINE = "\t".join(ROW.get(name, "") for name in ENRICHED_COLUMNS).encode()
OLD = {key: value for key, value in ROW.items() if key != "event_name"}


@pytest.mark.parametrize("name", ["part-00000", "a.tsv", "a.txt"])
def test_lines_are_recognised_by_their_content(tmp_path: Path, name: str) -> None:
    content = gzip.compress(LINE + b"\r\n\n" + LINE)
    assert read_outcomes(write_file(tmp_path, name, content)) == [(1, ROW), (3, ROW)]


def test_lines_of_old_versions_have_fewer_cells(tmp_path: Path) -> None:
    content = b"\t".join(LINE.split(b"\t")[:108])
    assert read_outcomes(write_file(tmp_path, "a", content)) == [(1, OLD)]


def test_lines_that_are_no_rows_cost_only_themselves(tmp_path: Path) -> None:
    content = b"\n".join([LINE, LINE + b"\tmore", LINE[:200], LINE.replace(b"Quoted", b"\xff"), LINE])
    assert read_outcomes(write_file(tmp_path, "a.tsv", content)) == [
        (1, ROW),
        (2, "invalid_tsv"),
        (3, "invalid_tsv"),
        (4, "invalid_encoding"),
        (5, ROW),
    ]


def test_a_table_with_a_header_is_not_such_a_stream(tmp_path: Path) -> None:
    content = b"app_id\tplatform\nweb\tmob\n"
    assert read_outcomes(write_file(tmp_path, "a.tsv", content)) == [(2, {"app_id": "web", "platform": "mob"})]
