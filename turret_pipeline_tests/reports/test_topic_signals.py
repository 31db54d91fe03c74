"""Signals of a topic in a scope, beside those of other topics and of the time before."""

import dataclasses
from collections.abc import Sequence

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.topic_signals import (
    COMPARED,
    compare_signals,
    compare_with_other_topics,
    compare_with_time_before,
)
from turret_pipeline_tests.reports.test_topic_figures import ALL, BEFORE, RECENT, Row, exchange, publish

OF_FIRST = compare_with_other_topics("prompt-1")


def declined(exchanges: Sequence[Row], flags: Sequence[bool | None]) -> list[Row]:
    return [
        {"exchange_id": row["exchange_id"], "is_declined": flag} for row, flag in zip(exchanges, flags, strict=True)
    ]


def test_signals_count_where_they_are_decided() -> None:
    exchanges = [exchange(number, "prompt-1", f"u{number}") for number in range(6)]
    signals = declined(exchanges, [True, False, False, None, True, False])
    with open_scope(publish(exchanges, signals=signals), ALL) as connection:
        rows = compare_signals(connection, OF_FIRST, 1).to_dicts()
        assert compare_signals(connection, OF_FIRST, 3).is_empty()
        assert compare_signals(connection, compare_with_other_topics("prompt-9"), 1).is_empty()
    assert [(row["signal"], row["exchange_count"], row["signal_count"]) for row in rows] == [("declined", 5, 2)]
    assert rows[0]["share_low"] < 0.4 < rows[0]["share_high"]
    assert [rows[0][name] for name in COMPARED] == [None] * 5  # no other topic has exchanges


def test_other_topics_of_the_field_are_compared_and_not_what_has_no_topic() -> None:
    own = [exchange(number, "prompt-1", f"u{number}") for number in range(40)]
    others = [exchange(number, "prompt-2", f"u{number - 40}") for number in range(40, 100)]
    nothing = [exchange(number, None, f"u{number}") for number in range(100, 120)]
    elsewhere = [exchange(number, "note-1", f"u{number}", field="note") for number in range(120, 140)]
    exchanges = [*own, *others, *nothing, *elsewhere]
    flags = [number < 30 or 40 <= number < 46 or number >= 100 for number in range(140)]
    with open_scope(publish(exchanges, signals=declined(exchanges, flags)), ALL) as connection:
        [row] = compare_signals(connection, OF_FIRST, 1).to_dicts()
        assert compare_signals(connection, OF_FIRST, 7)["base_share"].to_list() == [None]  # 6 users have it
    assert (row["signal_count"], row["exchange_count"], row["base_count"], row["base_total"]) == (30, 40, 6, 60)
    assert row["difference"] == pytest.approx(30 / 40 - 6 / 60)
    assert 0.4 < row["difference_low"] < row["difference"] < row["difference_high"] < 0.9
    assert row["q_value"] < 0.001


def test_the_order_of_exchanges_does_not_matter() -> None:
    exchanges = [exchange(number, f"prompt-{1 + number % 2}", f"u{number % 12}") for number in range(60)]
    signals = declined(exchanges, [number % 5 == 0 for number in range(60)])
    frames: list[pl.DataFrame] = []
    for order in (1, -1):
        with open_scope(publish(exchanges[::order], signals=signals[::-order]), ALL) as connection:
            frames.append(compare_signals(connection, OF_FIRST, 1))
    assert_frame_equal(*frames)
    assert frames[0]["q_value"].null_count() == 0


def test_the_time_before_is_compared_within_the_topic() -> None:
    now = [exchange(number, "prompt-1", f"u{number}") for number in range(20)]
    before = [exchange(number, "prompt-1", f"u{number - 20}", days=-2) for number in range(20, 60)]
    other = [exchange(number, "prompt-2", f"u{number}", days=-2) for number in range(60, 80)]
    exchanges = [*now, *before, *other]
    signals = declined(exchanges, [number < 15 or 20 <= number < 30 for number in range(80)])
    both = dataclasses.replace(RECENT, since=BEFORE.since)
    with open_scope(publish(exchanges, signals=signals), both) as connection:
        [row] = compare_signals(connection, compare_with_time_before("prompt-1", RECENT), 1).to_dicts()
    assert (row["signal_share"], row["base_share"]) == (15 / 20, 10 / 40)
    assert row["difference_low"] > 0


def test_a_topic_without_a_time_before_has_only_its_own_shares() -> None:
    exchanges = [exchange(number, "prompt-1", f"u{number}") for number in range(20)]
    with open_scope(publish(exchanges, signals=declined(exchanges, [True] * 20)), RECENT) as connection:
        [row] = compare_signals(connection, compare_with_time_before("prompt-1", RECENT), 1).to_dicts()
    assert (row["signal_share"], row["base_share"], row["q_value"]) == (1.0, None, None)


def test_a_scope_without_a_first_moment_has_no_time_before() -> None:
    with pytest.raises(ValueError, match="first moment"):
        compare_with_time_before("prompt-1", Scope())
