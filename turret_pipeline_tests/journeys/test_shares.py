"""Shares of sessions with intervals."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.shares import session_shares


def frame(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    columns = {"group": pl.String, "sequence_id": pl.String, "user_id": pl.String}
    return pl.DataFrame(rows, columns, orient="row")


def test_a_group_without_sessions_has_a_share_of_zero() -> None:
    everyone = frame(*(("", f"s{n}", f"u{n}") for n in range(10))).drop("group")
    members = frame(*(("x", f"s{n}", f"u{n}") for n in range(3)))
    found = session_shares(members, everyone, pl.DataFrame({"group": ["y", "x"]}))
    assert found["group"].to_list() == ["y", "x"]
    assert found.select("session_count", "user_count", "share").rows() == [(0, 0, 0.0), (3, 3, pytest.approx(0.3))]
    assert found["share_high"].to_list() == pytest.approx([0.2775, 0.6032], abs=1e-4)


def test_sessions_without_a_user_are_independent() -> None:
    nobody = frame(*(("x", f"s{n}", None) for n in range(10)))
    users = frame(*(("x", f"s{n}", f"u{n}") for n in range(10)))
    groups = pl.DataFrame({"group": ["x"]})
    one = session_shares(nobody.head(4), nobody.drop("group"), groups)
    other = session_shares(users.head(4), users.drop("group"), groups)
    assert_frame_equal(one.drop("user_count"), other.drop("user_count"))
    assert one["user_count"].to_list() == [0]


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_intervals_cover_the_true_share_whether_users_differ_or_not(spread: float) -> None:
    rng = np.random.default_rng(5)
    is_covered = []
    for _ in range(400):
        chance = np.clip(0.4 + spread * rng.standard_normal(120), 0, 1)
        sizes = rng.integers(1, 8, 120)
        user = np.repeat(np.arange(120), sizes)
        is_member = rng.random(len(user)) < chance[user]
        sessions = pl.DataFrame(
            {"sequence_id": np.arange(len(user)).astype(str), "user_id": user.astype(str), "group": "x"}
        )
        found = session_shares(sessions.filter(pl.Series(is_member)), sessions, pl.DataFrame({"group": ["x"]}))
        is_covered.append(found["share_low"][0] <= 0.4 <= found["share_high"][0])
    assert 0.92 <= np.mean(is_covered) <= 0.985
