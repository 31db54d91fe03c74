"""Form of the expected results of real exports, and their inputs. The inputs are in a folder beside the checkout."""

import datetime as dt
import re
from pathlib import Path

import pytest

from turret_pipeline_tests.benchmarks.cases import (
    CASES,
    COUNTS,
    FACT_KEYS,
    Case,
    compare_counts,
    find_wrong_facts,
    load_cases,
    load_left_out,
    prepare_input,
)

AT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
EVENT = {"event_id": "e1", "at": AT, "user_id": "u1", "event_name": "tool:search", "prompt": None, "answer": None}
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the checkout")


@pytest.mark.parametrize("name", load_cases())
def test_a_case_has_all_counts_and_well_formed_facts(name: str) -> None:
    case = load_cases()[name]
    assert list(case.counts) == list(COUNTS)
    assert len(case.tool_names) == case.counts["tool_events"]
    for fact in case.facts:
        assert fact.keys() - {"event"} <= set(FACT_KEYS)
        assert "at" not in fact or dt.datetime.fromisoformat(fact["at"]).tzinfo == dt.UTC
        assert re.fullmatch("[0-9a-f]{12}", fact.get("text_sha256", "0" * 12))


@pytest.mark.parametrize("name", load_cases())
def test_a_case_with_prompts_has_a_fact_about_the_first(name: str) -> None:
    case = load_cases()[name]
    named = {fact["event"] for fact in case.facts}
    assert ("first_prompt" in named) == (case.counts["prompts"] > 0)
    assert bool(named & {"first_answer", "last_answer"}) == (case.counts["answers"] > 0)


@needs_cases
def test_each_folder_has_a_case_or_a_reason_to_be_left_out() -> None:
    folders = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert folders == {case.folder for case in load_cases().values()} | load_left_out().keys()


@needs_cases
@pytest.mark.parametrize("name", load_cases())
def test_the_input_of_a_case_exists(tmp_path: Path, name: str) -> None:
    assert prepare_input(CASES, load_cases()[name], tmp_path).exists()


def test_a_count_that_differs_shows_the_expected_one() -> None:
    expected = dict.fromkeys(COUNTS, 1)
    assert compare_counts({**expected, "users": 3}, expected) == ["1", "1", "3 (1)", "1", "1", "1", "1"]


def test_facts_that_do_not_hold_are_listed() -> None:
    facts = (
        {"event": "e1", "at": "2026-03-01T00:00:00Z", "user_id": "u2"},
        {"event": "last_event", "user_id": "u1"},
        {"event": "first_prompt", "user_id": "u1"},
    )
    assert list(find_wrong_facts([EVENT], Case("x/y.jsonl", {}, facts))) == [
        "e1: user_id is u1 (u2)",
        "first_prompt: not found",
        "tool events: ['tool:search'] ([])",
    ]


def test_links_of_a_case_are_made_in_a_copy(tmp_path: Path) -> None:
    for name in ("in", "store"):
        (tmp_path / "cases" / "c" / name).mkdir(parents=True)
    (tmp_path / "cases" / "c" / "in" / "link").write_text("../store")
    (tmp_path / "cases" / "c" / "store" / "a.jsonl").write_text("{}")
    found = prepare_input(tmp_path / "cases", Case("c/in", {}, links={"in/link": "../store"}), tmp_path / "copy")
    assert (found / "link").is_symlink()
    assert (found / "link" / "a.jsonl").read_text() == "{}"
