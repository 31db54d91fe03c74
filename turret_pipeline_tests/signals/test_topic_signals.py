"""Shares of signals by topic, week and segment, from literal exchanges."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.signals import topic_cells
from turret_pipeline.signals.topic_signals import build_topic_signals
from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import LAKE_TABLES, TOPIC_SIGNALS
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS

MONDAY = dt.datetime(2026, 8, 3, 12, tzinfo=dt.UTC)
OVERALL = pl.col("week_start_date").is_null() & pl.col("segment_field").is_null()
FIGURES = ("base_share", "difference", "difference_low", "difference_high", "q_value")


@dataclass(frozen=True)
class Exchange:
    """An exchange about a topic with its signals; ``day`` counts from a Monday."""

    topic: str | None = "a"
    user: str | None = "ann"
    signals: Mapping[str, bool | None] = field(default_factory=dict)
    day: float = 0
    session: int = 0
    plan: str | None = None
    model: str | None = None


def build(
    folder: Path, exchanges: Sequence[Exchange], days: tuple[float, float] = (0, 60), **options: object
) -> pl.DataFrame:
    """Table topic_signals of the exchanges, in sessions of their users."""
    lake = Lake(folder)
    rows = [
        {
            "exchange_id": f"e{number}",
            "session_id": _name_session(number, one),
            "user_id": one.user,
            "prompt_at": MONDAY + dt.timedelta(days=one.day),
            "field": "prompt",
            "subject_topic_id": one.topic,
            "model": one.model,
        }
        for number, one in enumerate(exchanges)
    ]
    signals = [
        {"exchange_id": f"e{number}", **{f"is_{name}": value for name, value in one.signals.items()}}
        for number, one in enumerate(exchanges)
    ]
    plans = [
        {"exchange_id": f"e{number}", "field": "plan", "side": "prompt", "text_value": one.plan}
        for number, one in enumerate(exchanges)
        if one.plan is not None
    ]
    period = {
        name: (MONDAY + dt.timedelta(days=at)).date()
        for name, at in zip(("first_date", "last_date"), days, strict=True)
    }
    tables: dict[str, list[dict[str, Any]]] = {
        "exchanges": rows, "exchange_signals": signals, "exchange_values": plans, "data_days": [period],
    }  # fmt: skip
    for name, of_table in tables.items():
        lake.write(name, pl.DataFrame(of_table, LAKE_TABLES[name].schema))
    return build_topic_signals(lake, **options)  # type: ignore[arg-type]


def _name_session(number: int, exchange: Exchange) -> str:
    return f"s{number}" if exchange.user is None else f"{exchange.user} {exchange.session}"


def repeat(
    count: int, topic: str, signals: Mapping[str, bool | None], first_user: int = 0, **rest: object
) -> list[Exchange]:
    """Exchanges of as many users."""
    users = range(first_user, first_user + count)
    return [Exchange(topic, f"u{user}", signals, **rest) for user in users]  # type: ignore[arg-type]


def test_a_topic_is_compared_with_the_other_topics_of_its_field(tmp_path: Path) -> None:
    exchanges = [
        *repeat(12, "a", {"declined": True}),
        *repeat(8, "a", {"declined": False}, 12),
        *repeat(10, "b", {"declined": True}, 20),
        *repeat(90, "b", {"declined": False}, 30),
        *repeat(50, "b", {"declined": None}, 120),
        Exchange(None, "other", {"declined": True}),
    ]
    rows = build(tmp_path, exchanges).filter(OVERALL)
    assert rows["signal"].to_list() == ["declined", "declined"]
    a, b = rows.iter_rows(named=True)
    assert (a["topic_id"], a["exchange_count"], a["signal_count"], a["signal_share"]) == ("a", 20, 12, 0.6)
    assert (b["exchange_count"], b["signal_count"], b["base_share"]) == (100, 10, 0.6)
    assert (a["base_share"], a["difference"]) == (0.1, pytest.approx(0.5))
    assert 0.25 < a["difference_low"] < 0.35
    assert 0.65 < a["difference_high"] < 0.75
    assert a["share_low"] == pytest.approx(0.3866, abs=1e-4), "Wilson's interval of 12 of 20"
    assert a["q_value"] < 0.001
    assert a["q_value"] == pytest.approx(b["q_value"])


def test_a_week_is_compared_with_the_other_weeks_of_its_topic_only(tmp_path: Path) -> None:
    exchanges = [
        *repeat(10, "a", {"corrected": True}, day=1),
        *repeat(10, "a", {"corrected": False}, 10, day=6),
        *repeat(20, "a", {"corrected": False}, 20, day=7),
        *repeat(20, "b", {"corrected": True}, 40, day=7),
    ]
    rows = build(tmp_path, exchanges).filter(pl.col("week_start_date").is_not_null(), pl.col("topic_id") == "a")
    assert rows["week_start_date"].to_list() == [dt.date(2026, 8, 3), dt.date(2026, 8, 10)]
    assert rows["signal_share"].to_list() == [0.5, 0.0]
    assert rows["base_share"].to_list() == [0.0, 0.5]
    assert (rows["q_value"] < 0.05).all()


def test_weeks_follow_the_settings_and_leave_out_days_of_wrong_clocks(tmp_path: Path) -> None:
    exchanges = [Exchange(day=day, signals={"declined": False}) for day in (-400, 0, 0.46, 7)]
    of_zone = build(tmp_path, exchanges, week_start="tuesday", time_zone="Pacific/Auckland")  # 12 hours ahead
    weeks = of_zone.filter(pl.col("week_start_date").is_not_null())
    assert dict(weeks.select("week_start_date", "exchange_count").iter_rows()) == {
        dt.date(2026, 8, 4): 2, dt.date(2026, 8, 11): 1,
    }  # fmt: skip
    assert of_zone.filter(OVERALL)["exchange_count"].to_list() == [4]


def test_a_segment_is_compared_with_the_other_values_of_its_field(tmp_path: Path) -> None:
    exchanges = [
        *repeat(20, "a", {"struggle": True}, plan="free", model="small"),
        *repeat(20, "a", {"struggle": False}, 20, plan="team", model="small"),
        *repeat(20, "a", {"struggle": True}, 40),
    ]
    rows = build(tmp_path, exchanges).filter(pl.col("segment_field").is_not_null())
    found = rows.select("segment_field", "segment_value", "signal_share", "base_share").rows()
    assert found == [("model", "small", 0.5, None), ("plan", "free", 1.0, 0.0), ("plan", "team", 0.0, 1.0)]


def test_the_figures_are_those_of_the_general_comparison(tmp_path: Path) -> None:
    draw = random.Random(1)
    exchanges = [
        Exchange(
            draw.choice("abc"),
            draw.choice([None, *(f"u{number}" for number in range(25))]),
            {"declined": draw.choice([True, False, False, None])},
            session=draw.randrange(4),
            plan=draw.choice(["free", "team", "pro"]),
        )
        for _ in range(600)
    ]
    rows = build(tmp_path, exchanges)
    decided = [(number, one) for number, one in enumerate(exchanges) if one.signals["declined"] is not None]
    for topic, of_table in (
        (None, rows.filter(OVERALL)),
        *((topic, rows.filter(pl.col("segment_field") == "plan", pl.col("topic_id") == topic)) for topic in "abc"),
    ):
        units = [(number, one) for number, one in decided if topic in {None, one.topic}]
        keys = [one.topic if topic is None else one.plan for _, one in units]
        names = sorted({str(key) for key in keys})
        sessions = [_name_session(number, one) for number, one in units]
        users = [one.user or f"{number}" for number, one in units]
        clusters = [np.unique(names_of, return_inverse=True)[1] for names_of in (sessions, users)]
        counted = np.array([0 if one.signals["declined"] else -1 for _, one in units])
        expected = compare_groups(counted, np.array([names.index(str(key)) for key in keys]), clusters)
        assert of_table["topic_id" if topic is None else "segment_value"].to_list() == names
        assert of_table["signal_count"].to_list() == expected.count[0].tolist()
        for column, values in {
            "signal_share": expected.share[0],
            "base_share": expected.other_share[0],
            "difference_low": expected.comparison.low[0],
            "difference_high": expected.comparison.high[0],
        }.items():
            assert of_table[column].to_list() == pytest.approx(values.tolist())


def test_one_person_is_not_evidence(tmp_path: Path) -> None:
    many, one = repeat(40, "b", {"declined": False}), [Exchange("a", "ann", {"declined": True})] * 40
    rows = build(tmp_path, [*many, *one]).filter(OVERALL)
    assert rows["signal_share"].to_list() == [1.0, 0.0]
    assert rows.select(FIGURES).null_count().row(0) == (2,) * len(FIGURES)


def test_the_order_of_exchanges_does_not_matter(tmp_path: Path) -> None:
    draw = random.Random(2)
    exchanges = [
        Exchange(draw.choice("ab"), f"u{draw.randrange(30)}", {"declined": draw.random() < 0.3}, draw.randrange(20))
        for _ in range(300)
    ]
    assert_frame_equal(build(tmp_path / "one", exchanges), build(tmp_path / "other", exchanges[::-1]), check_exact=True)


def test_rows_that_show_too_few_users_are_left_out(tmp_path: Path) -> None:
    exchanges = [
        *repeat(4, "a", {"declined": True}),
        *repeat(20, "a", {"declined": False}, 4),
        *repeat(10, "b", {"declined": True}, 30),
        *repeat(10, "b", {"declined": False}, 40),
        *repeat(6, "c", {"declined": False}, 50),
        *[Exchange("c", None, {"declined": False})] * 20,
    ]
    shown = build(tmp_path, exchanges, min_users=5).filter(OVERALL)
    assert shown.is_empty(), "a alone would follow from the sum of all topics"
    exchanges += repeat(2, "d", {"declined": True}, 60)
    exchanges += repeat(20, "d", {"declined": False}, 62)
    shown = build(tmp_path, exchanges, min_users=5).filter(OVERALL)
    assert shown["topic_id"].to_list() == ["b", "c"]


@pytest.mark.parametrize(
    "hidden",
    [
        [Exchange("a", "one", {"declined": True})],
        [Exchange("a", "one", {"declined": True}, plan="pro")],
        [Exchange("a", None, {"declined": True}, plan="pro")] * 3,
        [Exchange("a", "one", {"declined": True}, day=-400, plan="free")],
    ],
    ids=["without a value", "of one user", "of unknown users", "of a stray clock"],
)
def test_what_is_left_out_does_not_follow_from_what_is_shown(tmp_path: Path, hidden: list[Exchange]) -> None:
    shown = [
        *repeat(10, "a", {"declined": True}, plan="free"),
        *repeat(10, "a", {"declined": False}, 10, plan="free"),
        *repeat(10, "a", {"declined": True}, 20, plan="team"),
        *repeat(10, "a", {"declined": False}, 30, plan="team"),
    ]
    rows = build(tmp_path, [*shown, *hidden], min_users=5)
    sums = rows.filter(~OVERALL).group_by("segment_field").agg(pl.col("signal_count").sum())
    overall = rows.filter(OVERALL)["signal_count"].to_list()
    differences = [overall[0] - count for count in sums["signal_count"]] if overall else []
    assert all(difference == 0 or difference >= 5 for difference in differences)
    assert overall or sums.is_empty()


def test_weeks_and_segments_of_a_topic_that_is_left_out_are_left_out_too(tmp_path: Path) -> None:
    exchanges = [
        *repeat(4, "a", {"declined": True}),
        *repeat(20, "a", {"declined": False}, 4),
        *repeat(10, "b", {"declined": True}, 30, plan="free"),
        *repeat(10, "b", {"declined": False}, 40, plan="free"),
    ]
    assert build(tmp_path, exchanges, min_users=5).is_empty()


@pytest.mark.parametrize("min_users", [1, 3])
def test_shards_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, min_users: int) -> None:
    draw = random.Random(3)
    exchanges = [
        Exchange(
            draw.choice("ab"),
            draw.choice([None, *(f"u{number}" for number in range(20))]),
            {"declined": draw.random() < 0.3, "corrected": draw.choice([True, False, None])},
            draw.randrange(20),
            plan=draw.choice([None, "free", "team"]),
        )
        for _ in range(300)
    ]
    whole = build(tmp_path / "one", exchanges, min_users=min_users)
    monkeypatch.setattr(topic_cells, "EXCHANGES_PER_SHARD", 20)
    assert_frame_equal(build(tmp_path / "many", exchanges, min_users=min_users), whole, check_exact=True)


def test_without_exchanges_about_topics_the_table_is_empty(tmp_path: Path) -> None:
    assert_frame_equal(build(tmp_path, [Exchange(None)]), TOPIC_SIGNALS.empty())
    assert_frame_equal(build(tmp_path, []), TOPIC_SIGNALS.empty())


def test_every_signal_has_its_rows(tmp_path: Path) -> None:
    rows = build(tmp_path, [Exchange(signals=dict.fromkeys(SIGNALS_OF_TOPICS, True))])
    assert rows.filter(OVERALL)["signal"].to_list() == sorted(SIGNALS_OF_TOPICS)
