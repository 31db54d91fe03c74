"""Reports as a whole: empty rows, order and duplicates of rows, notes, and false claims."""

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl

from turret_pipeline.reports.report.build import ReportOptions, build_report
from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, TALK
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables.exchanges import BY_NAME
from turret_pipeline_tests.benchmarks.simulated import World
from turret_pipeline_tests.benchmarks.simulated_reports import simulate_report_data
from turret_pipeline_tests.reports.report.frames import (
    MONDAY,
    Row,
    answer,
    ask,
    make_data,
    make_roles,
    make_topics,
    with_segment,
)


def test_without_rows_every_answer_is_empty() -> None:
    report = build_report(make_data([]), ReportOptions())

    assert [one.key for one in report.answers] == [TALK, CHANGED, FAILS, DIFFERS]
    assert [(one.findings, one.compared_count) for one in report.answers] == [((), 0)] * 4
    assert {(one.nothing, one.notes) for one in report.answers} == {("No events.", ())}
    assert report.period is None


def test_a_part_without_rows_says_so_and_notes_nothing() -> None:
    note = pl.DataFrame({"field": ["prompt"], "note": ["Most texts are in one topic."]})
    data = make_data([], topic_runs=note, scope=Scope(segments=(("plan", "free"),)), exchange_roles=make_roles(BY_NAME))

    answers = build_report(data, ReportOptions()).answers

    assert {(one.nothing, one.notes) for one in answers} == {("No events in this part of the data.", ())}


def test_texts_without_topics_are_counted() -> None:
    note = pl.DataFrame({"field": ["prompt"], "note": ["Too few distinct texts."]})
    answers = build_report(make_data(ask(6, None), topic_runs=note), ReportOptions()).answers

    assert [one.nothing for one in answers] == [
        "No topics to show in 6 texts.",
        "Nothing could be compared: no topics are shown.",
        "Nothing could be compared: the prompts have no topics to show.",
        "Nothing could be compared: no field of prompts or answers has two values with enough exchanges and users.",
    ]
    assert [one.notes for one in answers] == [()] * 4, "no topic of the field can say little"


def test_without_prompts_topics_are_told_and_nothing_fails() -> None:
    whole = make_data(ask(30, "x"))
    report = build_report(
        replace(whole, exchanges=whole.exchanges.clear(), segments=whole.segments.clear()), ReportOptions()
    )
    by_key = {one.key: one for one in report.answers}

    assert by_key[TALK].findings[0].sentence.startswith("Theme (1 topic): 30 of 30")
    assert (by_key[FAILS].findings, by_key[FAILS].compared_count) == ((), 0)
    assert (
        by_key[FAILS].nothing == by_key[DIFFERS].nothing == "Nothing could be compared: these sessions have no prompts."
    )


def test_topics_of_follow_ups_are_listed_last() -> None:
    topics = pl.concat([make_topics("more", role="continuation"), make_topics("x", "y")])
    rows = [*ask(30, "more"), *ask(10, "x"), *ask(20, "y")]

    (field,) = build_report(make_data(rows, topics=topics), ReportOptions()).fields

    assert [line.topic_id for line in field.topics] == ["y", "x", "more"]


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [
        *with_segment([*ask(40, "x", is_error=True), *ask(60, "y", is_error=False)], plan="free"),
        *with_segment([*ask(10, "x", 40, is_error=True), *ask(190, "y", 60, is_error=False)], plan="team"),
    ]
    data = make_data([{**row, "event_date": MONDAY + dt.timedelta(days=n % 20)} for n, row in enumerate(rows)])
    mixed = replace(
        data,
        **{
            name: getattr(data, name).sample(fraction=1, shuffle=True, seed=3)
            for name in ("occurrences", "exchanges", "segments", "topics")
        },
    )

    assert build_report(mixed, ReportOptions()) == build_report(data, ReportOptions())


def test_rows_twice_of_the_same_users_are_no_better_evidence() -> None:
    rows = [*ask(12, "x", is_error=True), *ask(12, "x", 12, is_error=False), *ask(12, "y", is_error=True)]
    rows += ask(60, "y", 12, is_error=False)
    once, twice = (answer(make_data(some), FAILS) for some in (rows, [*rows, *rows]))

    assert len(twice.findings) == len(once.findings)


def test_topics_that_say_little_are_noted_in_every_answer() -> None:
    note = pl.DataFrame({"field": ["prompt"], "note": ["Most texts are in one topic."]})
    report = build_report(make_data(ask(30, "x"), topic_runs=note), ReportOptions())

    assert report.fields[0].notes == ("Most texts are in one topic.",)
    for one in report.answers[1:]:
        assert "Topics of prompt may say little: see the note on them." in one.notes


def test_prompts_without_recognized_answers_are_noted() -> None:
    rows = [*ask(30, "x", answer_count=0), *ask(10, "y")]

    assert any(note.startswith("30 of 40 prompts (75%) have no recognized answer") for note in note_of(rows))
    assert note_of(ask(30, "x")) == ()


def test_roles_that_only_names_tell_are_noted() -> None:
    notes = answer(make_data(ask(30, "x"), exchange_roles=make_roles("event name")), FAILS).notes

    assert notes == ("Events of answers were recognized by their names only: reply (setting answer_events).",)


def test_unknown_users_are_noted() -> None:
    rows = [{**row, "user_id": None} for row in ask(30, "x")]

    assert note_of([*rows, *ask(29, "x", 30)])[0].startswith("30 of 59 prompts (51%) name no user")
    assert note_of([*rows, *ask(30, "x", 30)]) == ()


def test_a_part_of_the_data_says_what_it_leaves_out() -> None:
    notes = answer(make_data(ask(30, "x"), scope=Scope(segments=(("plan", "free"),))), DIFFERS).notes

    assert any("Moves and outcomes are compared in all data only" in note for note in notes)


def note_of(rows: list[Row]) -> tuple[str, ...]:
    """Notes on failures."""
    return answer(make_data(rows), FAILS).notes


def test_if_nothing_differs_few_reports_claim_anything() -> None:
    rng, world = np.random.default_rng(5), World(users=150, topics=15)
    reports = [build_report(simulate_report_data(rng, world), ReportOptions()) for _ in range(20)]

    with_claim = sum(any(one.findings for one in report.answers[1:]) for report in reports)
    assert with_claim <= 3, "more than 3 of 20 have a chance of 1.6 % if 5 % of reports may claim something"
