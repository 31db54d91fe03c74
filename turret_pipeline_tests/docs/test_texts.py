"""The documents keep their promises: one page of README, links that lead somewhere, and an example as runs print it."""

import re
from pathlib import Path

import pytest

from turret_pipeline_tests.commands import PROJECT, open_published
from turret_pipeline_tests.conftest import Job
from turret_pipeline_tests.docs.pages import PAGES, list_blocks, name_page
from turret_pipeline_tests.docs.reference import COMMAND, FOLDER, build_pages
from turret_pipeline_tests.docs.sql_dialects import PAGE

JOURNEY_SENTENCES = (
    r"- [\d,]+ of the [\d,]+ sessions with prompt have a subject",
    r"- \d+% of [\d,]+ sessions start on [^.]+, \d+% on [^.]+\.",
    r"- The most likely next step is from .+ to .+: [\d,]+ of [\d,]+ times \(\d+%\), after a median of ",
)


def test_the_readme_is_one_page() -> None:
    assert len((PROJECT / "README.md").read_text().split()) <= 900


def test_the_reference_is_up_to_date() -> None:
    committed = {path.name: path.read_text() for path in FOLDER.iterdir() if path != PAGE}
    outdated = [name for name, text in build_pages().items() if committed.pop(name, None) != text]
    assert outdated == [], f"Run `{COMMAND}`."
    assert committed == {}, "Files that are not generated belong elsewhere."


@pytest.mark.parametrize("page", [path for path in PAGES if path.parent == PROJECT], ids=name_page)
def test_links_of_a_page_outside_the_site_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_example_of_a_journey_has_the_form_that_runs_print(sample_job: Job) -> None:
    (example,) = list_blocks("docs/explanation/journeys.md", "text")
    printed = sample_job.printed.split("Journeys of prompt\n")[1]
    for text in (example.code, printed):
        sentences = " ".join(text.split())
        assert [form for form in JOURNEY_SENTENCES if not re.search(form, sentences)] == []


def test_the_planted_journey_of_the_documents_is_found(sample_job: Job) -> None:
    with open_published(sample_job.data_dir) as connection:
        rows = connection.execute(
            "select a.node_label, b.node_label from marts.journey_edges as e "
            "join marts.journey_nodes as a on a.dimension = e.dimension and a.node_id = from_node_id "
            "join marts.journey_nodes as b on b.dimension = e.dimension and b.node_id = to_node_id "
            "where e.dimension = 'prompt' and from_node_id != to_node_id "
            "and a.node_label not like '(%' and b.node_label not like '(%' order by transition_count desc limit 5"
        ).fetchall()
    assert any("complaint" in first.lower() and "refund" in second.lower() for first, second in rows), rows
