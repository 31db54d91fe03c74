"""The README is right: its commands run, its queries return rows, and its tables match the code."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from turret_pipeline.cli.formats import LISTED_FORMATS
from turret_pipeline.config.pipeline import PREFIX, Settings
from turret_pipeline.tables import MART_TABLES
from turret_pipeline_tests.commands import BIN, PROJECT, SAMPLE, environment
from turret_pipeline_tests.conftest import Job

README = (PROJECT / "README.md").read_text()


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL))


def commands() -> list[str]:
    return [line.split("  #")[0].strip() for line in blocks("sh").splitlines() if line.strip()]


def section(name: str) -> str:
    return README.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


@pytest.fixture(scope="module")
def checkout(sample_job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a checkout after `make run`."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(sample_job.data_dir, folder / "data")
    shutil.copytree(sample_job.data_dir, folder / "other")
    shutil.copytree(SAMPLE, folder / "data" / "sample")
    return folder


@pytest.mark.parametrize("command", [line for line in commands() if not line.startswith(("make", ". .venv", "export"))])
def test_a_command_of_the_readme_runs(checkout: Path, command: str) -> None:
    extra = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    moved = command.replace("/tmp/turret", str(checkout / "other"))
    done = subprocess.run(
        ["bash", "-c", moved],
        cwd=checkout,
        env=environment(extra),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("make")])
def test_a_make_target_of_the_readme_exists_and_is_explained(command: str) -> None:
    target = command.split()[1]
    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^{target}\s+\S", listed, re.MULTILINE)
    subprocess.run(["make", "--dry-run", target], cwd=PROJECT, capture_output=True, check=True)


@pytest.mark.parametrize("query", [part.strip() for part in blocks("sql").split(";") if part.strip()])
def test_a_query_of_the_readme_returns_rows(checkout: Path, query: str) -> None:
    with duckdb.connect(str(checkout / "data" / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        assert connection.execute(query).fetchall()


def test_the_readme_lists_every_table() -> None:
    rows = "".join(f"| `{table.name}` | {table.grain.removeprefix('One ')} |\n" for table in MART_TABLES.values())
    assert section("tables") == f"| table | one |\n|---|---|\n{rows}"


def test_the_readme_lists_every_format() -> None:
    rows = "".join(
        f"| `{table.name}` | {table.title} | {table.shape.description} | {table.becomes} |\n"
        for table in LISTED_FORMATS.values()
    )
    assert section("formats") == f"| format | a row is a | recognised by | and becomes |\n|---|---|---|---|\n{rows}"


def test_the_readme_lists_every_setting() -> None:
    fields = Settings.model_fields.items()
    rows = "".join(f"| `{PREFIX}{name.upper()}` | {field.description} |\n" for name, field in fields)
    assert section("settings") == f"| setting | meaning |\n|---|---|\n{rows}"


def test_the_journey_of_the_readme_is_what_a_run_of_the_sample_prints(sample_job: Job) -> None:
    printed = sample_job.printed.split("Journeys of prompt\n")[1]
    assert " ".join(printed.split()).startswith(" ".join(section("journey").split()))
    with duckdb.connect(str(sample_job.data_dir / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        query = "select count(*) from marts.journey_steps where dimension = 'prompt' and step_number = ?"
        first, second, third = (connection.execute(query, [step]).fetchall()[0][0] for step in (1, 2, 3))
    assert f"{second} of {first} come to a second one, {third} to a third" in " ".join(README.split())


def test_the_pictures_of_the_readme_exist() -> None:
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (PROJECT / path).is_file()
