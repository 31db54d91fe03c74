"""Disclosure control: no count of a comparison is of fewer users than the threshold, nor follows from the others."""

import itertools

import numpy as np
import polars as pl
import pytest

from turret_pipeline.reports.report.build import ReportOptions, build_report
from turret_pipeline.reports.report.privacy import find_shown
from turret_pipeline_tests.reports.report.frames import ask, make_data


@pytest.mark.parametrize("seed", range(5))
def test_all_four_counts_of_a_shown_comparison_have_enough_users(seed: int) -> None:
    rng, min_users, shape = np.random.default_rng(seed), 4, (3, 3)
    item, group, user = rng.integers(-1, 3, 60), rng.integers(0, 3, 60), rng.integers(-1, 12, 60)

    is_shown = find_shown(item, group, user, shape, min_users)

    for one, of in itertools.product(range(3), range(3)):
        cells = [(item == one) == is_item for is_item in (True, False)]
        parts = [cell & ((group == of) == is_in) for cell in cells for is_in in (True, False)]
        users = [len(set(user[part]) - {-1}) for part in parts if part.any()]
        assert not is_shown[one, of] or min(users) >= min_users


def test_a_table_of_many_users_is_shown() -> None:
    item, group, user = np.array(list(itertools.product(range(2), range(2), range(9)))).T

    assert find_shown(item, group, user, (2, 2), 9).all()
    assert not find_shown(item, group, user, (2, 2), 10).any()


def test_topics_of_few_users_are_unassigned() -> None:
    data = make_data([*ask(30, "x"), *ask(4, "rare"), *ask(20, "one", per_user=20)])

    (field,) = build_report(data, ReportOptions(min_users=5)).fields

    assert [(line.topic_id, line.event_count) for line in field.topics] == [("x", 30)]
    assert (field.event_count, field.no_topic_count) == (54, 24)


def test_topics_of_unknown_users_are_shown_without_a_threshold_only() -> None:
    data = make_data([{**row, "user_id": None} for row in ask(30, "x")])

    assert [len(build_report(data, ReportOptions(min_users=users)).fields[0].topics) for users in (1, 2)] == [1, 0]
    assert data.occurrences.select(pl.col("user_id").count()).item() == 0
