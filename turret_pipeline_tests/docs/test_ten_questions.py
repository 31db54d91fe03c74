"""Ten questions: each has one short query or command, whose answer is shown with the columns that it has.

test_blocks.py runs the queries and the commands on the sample.
"""

import re
import shlex

import duckdb
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES
from turret_pipeline_tests.commands import PROJECT, open_published
from turret_pipeline_tests.conftest import Job
from turret_pipeline_tests.docs.pages import list_blocks

PAGE = "docs/how-to/ten-questions.md"
BLOCKS = list_blocks(PAGE)[1:]  # the first is the report over all questions
ANSWERS = [(block.code, answer.code) for block, answer in zip(BLOCKS[::2], BLOCKS[1::2], strict=True)]
QUERIES = [(code, answer) for code, answer in ANSWERS if code.lstrip().startswith(("select", "with"))]
COMMANDS = [(code, answer) for code, answer in ANSWERS if code.startswith("turret ")]


def test_each_of_ten_questions_has_a_query_or_a_command_with_its_answer() -> None:
    sections = re.split(r"^## ", (PROJECT / PAGE).read_text(), flags=re.MULTILINE)[1:]
    assert [section.partition(".")[0] for section in sections] == [str(number) for number in range(1, 11)]
    assert all(section.partition("\n")[0].endswith("?") for section in sections)
    assert all(re.search(r"```(sql|sh)\n", section) for section in sections)
    assert {block.language for block in BLOCKS[::2]} == {"sql", "sh"}
    assert {block.language for block in BLOCKS[1::2]} == {"text"}


@pytest.mark.parametrize(("query", "answer"), QUERIES)
def test_a_query_is_short_and_has_the_columns_of_its_answer(query: str, answer: str) -> None:
    assert len(query.splitlines()) <= 10
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for table in MART_TABLES.values():
            columns = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.kind]}' for column in table.columns)
            connection.execute(f"create table marts.{table.name} ({columns})")
        found = connection.execute(query)
        names = [column[0] for column in found.description or []]
        assert found.fetchall() == []  # nothing is divided by zero
    first, *rows = answer.splitlines()
    assert first.split() == names
    assert rows


def test_every_other_answer_is_that_of_a_command() -> None:
    assert len(QUERIES) + len(COMMANDS) == len(ANSWERS)


def test_the_query_of_models_compares_periods_too(sample_job: Job) -> None:
    query = next(query for query, _ in QUERIES if "group by model" in query)
    by_period = query.replace("select model", "select prompt_at >= '2026-09-01' as is_after")
    with open_published(sample_job.data_dir) as connection:
        rows = connection.execute(by_period.replace("group by model", "group by is_after")).fetchall()
    assert [row[0] for row in rows] == [False, True]


@pytest.mark.parametrize(("command", "answer"), COMMANDS)
def test_a_command_has_an_answer_of_the_same_form(sample_job: Job, command: str, answer: str) -> None:
    done = CliRunner().invoke(app, [*shlex.split(command)[1:], "--data-dir", str(sample_job.data_dir)])
    assert done.exit_code == 0, done.output
    for text in (answer, done.output):
        assert re.search(r"^\d{4}-\d\d-\d\d, session \S+: \d+ of \d+ exchanges? about it$", text, re.MULTILINE)
        assert re.search(r"^  \d\d:\d\d:\d\d Prompt: .", text, re.MULTILINE)
