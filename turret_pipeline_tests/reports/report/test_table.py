"""The report as a table: every answer can be read back from it."""

from pathlib import Path

import duckdb

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.model import CHANGED, FAILS, TALK, Answer, Finding, Report
from turret_pipeline.reports.report.table import read_answers, tabulate_report
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import warehouse

GREW = Finding(
    "growing_week",
    "A grew.",
    "this week",
    9,
    10,
    "prompt",
    "prompt-1",
    "A",
    1,
    10,
    0.1,
    0.9,
    0.01,
    {"topic": "prompt-1"},
)
LARGE = Finding("theme", "A is large.", "all days", 9, 10, evidence={"theme": "A"})


def test_answers_are_read_back_in_the_order_of_the_report(tmp_path: Path) -> None:
    answers = (
        Answer(TALK, (LARGE,)),
        Answer(CHANGED, (GREW, LARGE), notes=("Compared: two weeks.", "Without follow-ups.")),
        Answer(FAILS, (), notes=("Few ratings.",), nothing="Nothing fails."),
    )
    table = tabulate_report(Report(None, "", 0, 0, 0, (), answers))
    warehouse(tmp_path).parent.mkdir(parents=True)
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.register("frame", table.to_arrow())
        connection.execute("create schema marts; create table marts.report_lines as from frame order by random()")

    found = read_answers(PublishedTables(DataDir(tmp_path), 1))

    assert list(found)[:3] == [TALK, CHANGED, FAILS]
    assert tuple(found[one.key] for one in answers) == answers
    assert table["line_number"].to_list() == [1, 1, 2, 3, 4, 1, 2]
