"""Figures of topics from a few literal exchanges, checked by hand and against brute force."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.topic_details import list_neighbours, measure_topic
from turret_pipeline.reports.topic_figures import (
    TopicField,
    choose_topic_field,
    compare_topic_segments,
    count_topics,
    read_topic_trends,
    suppress_few_users,
)
from turret_pipeline.reports.topic_segments import compare_segments
from turret_pipeline.stats.groups import compare_with_rest
from turret_pipeline.stats.pair_sums import PairSums, compare_pairs
from turret_pipeline.tables import (
    EVENT_TOPICS,
    EVENTS,
    EXCHANGE_SIGNALS,
    EXCHANGES,
    FIELD_VALUES,
    JOURNEY_STEPS,
    SESSION_VALUES,
    SESSIONS,
    TOPIC_RUNS,
    TOPICS,
)
from turret_pipeline_tests.reports.literal_tables import LiteralTables

PROMPT, ALL = TopicField("prompt", "exchange"), Scope()
NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
RECENT = Scope(NOON.replace(hour=0), NOON.replace(hour=0) + dt.timedelta(days=2))
BEFORE = Scope(NOON.replace(hour=0) - dt.timedelta(days=2), NOON.replace(hour=0))

Row = dict[str, Any]


def exchange(number: int, topic: str | None, user: str | None = "u1", days: int = 0, **others: object) -> Row:
    return {
        "exchange_id": f"e{number}",
        "session_id": f"s{number}",
        "user_id": user,
        "prompt_at": NOON + dt.timedelta(days=days),
        "field": "prompt",
        "subject_topic_id": topic,
        **others,
    }


def publish(
    exchanges: Sequence[Row], values: Sequence[Row] = (), signals: Sequence[Row] = (), steps: Sequence[Row] = ()
) -> LiteralTables:
    topics = [
        {"topic_id": f"prompt-{number}", "field": "prompt", "label": name, "theme_label": "All", "status": "active"}
        for number, name in enumerate("ABC", 1)
    ]
    sessions = {row["session_id"]: {**row, "started_at": row["prompt_at"]} for row in exchanges}
    return LiteralTables(
        {
            EXCHANGES: exchanges,
            TOPICS: topics,
            SESSIONS: list(sessions.values()),
            SESSION_VALUES: values,
            FIELD_VALUES: [{"field": row["field"], "value": row["value"]} for row in values],
            EXCHANGE_SIGNALS: signals,
            JOURNEY_STEPS: steps,
            EVENTS: [{"event_id": "v1", "session_id": "s1", "event_at": NOON}],
            EVENT_TOPICS: [{"event_id": "v1", "field": "note"}],
            TOPIC_RUNS: [{"field": name, "text_count": size} for name, size in (("note", 99), ("prompt", 3))],
        }
    )


def by_topic(rows: pl.DataFrame) -> dict[str | None, Row]:
    return {row["topic_id"]: row for row in rows.iter_rows(named=True)}


def test_counts_add_up_with_the_exchanges_without_a_topic() -> None:
    published = publish(
        [exchange(1, "prompt-1"), exchange(2, "prompt-1", "u2"), exchange(3, None), exchange(4, "prompt-2", None)]
    )
    rows = by_topic(count_topics(published, PROMPT, ALL, None))
    counts = {topic: (row["unit_count"], row["user_count"], row["share"]) for topic, row in rows.items()}
    assert counts == {
        "prompt-1": (2, 2, 0.5),
        "prompt-2": (1, 0, 0.25),
        "prompt-3": (0, 0, 0.0),
        None: (1, 1, 0.25),
    }
    assert all(row["total_count"] == 4 for row in rows.values())
    assert rows["prompt-1"]["difference"] is None


def test_events_are_counted_in_a_field_without_prompts() -> None:
    published = publish([exchange(1, "prompt-1")])
    rows = by_topic(count_topics(published, TopicField("note", "event"), ALL, None))
    assert {topic: row["unit_count"] for topic, row in rows.items()} == {None: 1}


def test_an_empty_scope_has_no_shares() -> None:
    published = publish([exchange(1, "prompt-1")])
    rows = count_topics(published, PROMPT, Scope(since=NOON + dt.timedelta(days=9)), None)
    assert rows["unit_count"].to_list() == [0, 0, 0]
    assert rows["share"].null_count() == 3


def test_segments_are_compared_and_other_values_left_out() -> None:
    exchanges = [exchange(1, "prompt-1"), exchange(2, "prompt-2"), exchange(3, "prompt-1", "u2"), exchange(4, None)]
    values = [
        {"session_id": f"s{number}", "field": "plan", "value": value}
        for number, value in ((1, "free"), (2, "free"), (3, "team"), (4, "business"))
    ]
    published = publish(exchanges, values)
    rows = by_topic(compare_topic_segments(published, PROMPT, ALL, ("plan", "free"), ("plan", "team")))
    counts = {topic: (row["unit_count"], row["before_count"], row["difference"]) for topic, row in rows.items()}
    assert counts == {"prompt-1": (1, 1, -0.5), "prompt-2": (1, 0, 0.5), "prompt-3": (0, 0, 0.0)}
    assert {row["total_count"] for row in rows.values()} == {2}
    free = Scope(segments=(("plan", "free"),))
    with pytest.raises(TurretError, match="remove it"):
        compare_topic_segments(published, PROMPT, free, ("plan", "free"), ("plan", "team"))
    for second in (("plan", "free"), ("device", "phone")):
        with pytest.raises(TurretError, match="two values of one field"):
            compare_topic_segments(published, PROMPT, ALL, ("plan", "free"), second)


def test_users_who_return_to_their_subject_widen_the_interval() -> None:
    many = [exchange(number, f"prompt-{1 + number % 2}", f"u{number}") for number in range(40)]
    few = [exchange(number, f"prompt-{1 + number % 2}", f"u{number % 4}") for number in range(40)]
    wide, narrow = (by_topic(count_topics(publish(rows), PROMPT, ALL, None))["prompt-1"] for rows in (few, many))
    assert wide["share"] == narrow["share"] == 0.5
    assert wide["share_high"] - wide["share_low"] > 1.5 * (narrow["share_high"] - narrow["share_low"])


def random_exchanges() -> list[Row]:
    random = np.random.default_rng(3)
    rows = []
    for number in range(400):
        user = f"u{random.integers(40)}"
        topic = [None, "prompt-1", "prompt-2", "prompt-3"][(int(user[1:]) + int(random.integers(2))) % 4]
        rows.append(exchange(number, topic, user if number % 9 else None, int(random.integers(-2, 2))))
    return rows


def test_the_change_is_that_of_sums_over_users() -> None:
    rows = random_exchanges()
    found = by_topic(count_topics(publish(rows), PROMPT, RECENT, BEFORE))
    keys = sorted({str(row["user_id"] or row["session_id"]) for row in rows})
    for topic in ("prompt-1", "prompt-2", "prompt-3"):
        parts = np.zeros((len(keys), 1, 4))
        for row in rows:
            side = 0 if row["prompt_at"] >= RECENT.since else 1
            place = keys.index(str(row["user_id"] or row["session_id"]))
            parts[place, 0, 2 + side] += 1
            parts[place, 0, side] += row["subject_topic_id"] == topic
        clusters = (parts[:, :, :2].sum(axis=2) > 0).sum(axis=0)
        expected = compare_pairs(PairSums(parts.sum(axis=0), np.einsum("cpi,cpj->pij", parts, parts), clusters))
        row = found[topic]
        assert [row["unit_count"], row["before_count"]] == parts.sum(axis=0)[0, :2].tolist()
        shown = [row[name] for name in ("difference", "difference_low", "difference_high")]
        assert shown == pytest.approx([expected.difference[0], expected.low[0], expected.high[0]])
        assert row["q_value"] >= expected.p_value[0] - 1e-12
    assert found[None]["q_value"] is None


def test_the_order_of_rows_does_not_matter() -> None:
    rows = random_exchanges()
    one, other = (count_topics(publish(order), PROMPT, RECENT, BEFORE) for order in (rows, rows[::-1]))
    numbers = [name for name, kind in one.schema.items() if kind == pl.Float64]
    np.testing.assert_allclose(one.select(numbers).to_numpy(), other.select(numbers).to_numpy(), equal_nan=True)


def test_trends_have_all_days_of_the_field() -> None:
    published = publish([exchange(1, "prompt-1"), exchange(2, "prompt-1", days=2), exchange(3, None, days=1)])
    trends = read_topic_trends(published, PROMPT, ALL, "UTC", "monday")
    assert trends.days == ("2026-03-10", "2026-03-11", "2026-03-12")
    assert dict(trends.rows.iter_rows()) == {"prompt-1": [1, 0, 1], None: [0, 1, 0]}
    of_one = read_topic_trends(published, PROMPT, ALL, "UTC", "monday", "prompt-1")
    assert (of_one.days, dict(of_one.rows.iter_rows())) == (trends.days, {"prompt-1": [1, 0, 1]})
    assert read_topic_trends(published, PROMPT, Scope(until=BEFORE.since), "UTC", "monday").days == ()


def test_long_trends_are_by_week_and_days_are_those_of_the_zone() -> None:
    published = publish([exchange(1, "prompt-1"), exchange(2, "prompt-1", days=140)])
    trends = read_topic_trends(published, PROMPT, ALL, "Asia/Tokyo", "sunday")
    assert (trends.bucket, trends.days[0], len(trends.days)) == ("week", "2026-03-08", 21)
    late = publish([exchange(1, "prompt-1", prompt_at=NOON.replace(hour=20))])
    assert read_topic_trends(late, PROMPT, ALL, "Asia/Tokyo", "monday").days == ("2026-03-11",)


def test_figures_of_few_users_are_null_and_do_not_follow_from_the_total() -> None:
    exchanges = [exchange(number, "prompt-1", f"u{number}") for number in range(9)]
    exchanges += [exchange(number, "prompt-2", f"u{number}") for number in range(9, 15)]
    exchanges += [exchange(20, "prompt-3")]
    rows = by_topic(suppress_few_users(count_topics(publish(exchanges), PROMPT, ALL, None), 5))
    assert [rows[f"prompt-{number}"]["is_suppressed"] for number in (1, 2, 3)] == [False, True, True]
    assert rows["prompt-3"]["unit_count"] is None
    assert rows["prompt-3"]["share_high"] is None
    everything = suppress_few_users(count_topics(publish(exchanges), PROMPT, ALL, None), 1)
    assert not everything["is_suppressed"].any()


def test_the_field_of_prompts_is_the_first_one() -> None:
    published = publish([exchange(1, "prompt-1")])
    assert choose_topic_field(published, None) == PROMPT
    assert choose_topic_field(published, "event_name") == PROMPT
    assert choose_topic_field(published, "user:note") == TopicField("note", "event")
    with pytest.raises(TurretError, match="Unknown text field 'other'"):
        choose_topic_field(published, "other")


def test_numbers_are_those_of_exchanges_with_a_value() -> None:
    costs = [0.1, 0.3, None, 0.2]
    exchanges = [exchange(number, "prompt-1", cost_usd=cost) for number, cost in enumerate(costs)]
    published = publish([*exchanges, exchange(9, "prompt-2", cost_usd=7.0)])
    with open_scope(published, ALL) as connection:
        rows = measure_topic(connection, "prompt-1", 1).to_dicts()
        assert measure_topic(connection, "prompt-1", 2).is_empty()
    assert len(rows) == 1
    assert rows[0]["value_count"] == 3
    assert [rows[0][name] for name in ("value_sum", "value_mean", "value_p50")] == pytest.approx([0.6, 0.2, 0.2])


def step(session: str, number: int, node: str) -> Row:
    return {"dimension": "prompt", "session_id": session, "user_id": session, "step_number": number, "node_id": node}


def test_neighbours_are_steps_of_sessions_in_the_scope() -> None:
    exchanges = [exchange(number, "prompt-1", days=0 if number < 3 else -2) for number in (1, 2, 3)]
    steps = [step("s1", 1, "prompt-2"), step("s1", 2, "prompt-1"), step("s1", 3, "prompt-2"), step("s1", 4, "prompt-1")]
    steps += [step("s2", 1, "prompt-1"), step("s3", 1, "prompt-1"), step("s3", 2, "prompt-3")]
    with open_scope(publish(exchanges, steps=steps), RECENT) as connection:
        before, after = list_neighbours(connection, "prompt", "prompt-1", 1)
    columns = ("node_id", "label", "transition_count", "session_count", "total_count")
    assert after.select(columns).rows() == [("(end)", "(end)", 2, 2, 3), ("prompt-2", "B", 1, 1, 3)]
    assert before.select(columns).rows() == [("prompt-2", "B", 2, 1, 3), ("(start)", "(start)", 1, 1, 3)]


def test_segments_are_compared_with_the_rest_of_the_scope() -> None:
    random = np.random.default_rng(5)
    exchanges = [exchange(number, f"prompt-{1 + random.integers(2)}", f"u{number % 30}") for number in range(300)]
    plans = {row["session_id"]: str(random.choice(["free", "team"])) for row in exchanges}
    values = [{"session_id": session, "field": "plan", "value": plan} for session, plan in plans.items()]
    values += [{"session_id": "s1", "field": "rare", "value": "x"}]
    with open_scope(publish(exchanges, values), ALL) as connection:
        found = compare_segments(connection, PROMPT, "prompt-1", 1)
    assert found["segment_value"].to_list() == ["free", "team"]
    is_about = np.array([row["subject_topic_id"] == "prompt-1" for row in exchanges])
    group = np.array([int(plans[row["session_id"]] == "team") for row in exchanges])
    users = np.array([number % 30 for number in range(300)])
    expected = compare_with_rest(is_about, group, users)
    assert found["share_in_segment"].to_list() == pytest.approx(expected.share.tolist())
    assert found["share_elsewhere"].to_list() == pytest.approx(expected.other_share.tolist())
    assert found["difference_low"].to_list() == pytest.approx(expected.comparison.low.tolist())
    assert found["q_value"].to_list() == pytest.approx([max(expected.comparison.p_value)] * 2)
